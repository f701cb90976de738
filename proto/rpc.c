#include "proto/rpc.h"

enum { METHOD_SIZE_MAX = 64 };

static enum err refuse(struct fault *fault, const char *sentence)
{
	return fault_set(fault, ERR_BAD_REQUEST, "", "no MessagePack-RPC message: %s", sentence);
}

static bool read_msgid(struct reader *reader, uint32_t *msgid)
{
	uint64_t wide;

	if (!read_uint(reader, &wide) || wide > UINT32_MAX)
		return false;
	*msgid = (uint32_t)wide;
	return true;
}

/* The last item of a message that was walked over: it ends where the message ends. */
static struct str last_item(const struct reader *reader)
{
	return (struct str){reader->at, (size_t)(reader->end - reader->at)};
}

static enum err parse_call(struct reader *reader, struct rpc *rpc, struct fault *fault)
{
	uint32_t count;

	if (!read_str(reader, &rpc->method) || rpc->method.size > METHOD_SIZE_MAX)
		return refuse(fault, "the method is a string of at most 64 bytes");
	rpc->params = last_item(reader);
	if (!read_array(reader, &count))
		return refuse(fault, "params are an array");
	return ERR_OK;
}

static void take_text(char *out, size_t size, struct str text)
{
	size_t length = min_u64(text.size, size - 1);

	if (length)
		memcpy(out, text.data, length);
	out[length] = '\0';
}

/* One member of an error. What we do not know is passed over, so that errors may grow. */
static bool read_error_member(struct reader *reader, struct str name, struct fault *error)
{
	struct str text;
	uint64_t delay;

	if (str_equal(name, STR("code")) && read_str(reader, &text)) {
		error->code = err_from_name(text.data, text.size);
		if (error->code == ERR_COUNT || error->code == ERR_OK)
			error->code = ERR_INTERNAL;
		return true;
	}
	if (str_equal(name, STR("path")) && read_str(reader, &text)) {
		take_text(error->path, sizeof(error->path), text);
		return true;
	}
	if (str_equal(name, STR("text")) && read_str(reader, &text)) {
		take_text(error->text, sizeof(error->text), text);
		return true;
	}
	if (str_equal(name, STR("retry_after_ms")) && read_uint(reader, &delay)) {
		error->retry_after_ms = (uint32_t)min_u64(delay, UINT32_MAX);
		return true;
	}
	return read_skip(reader, &text);
}

static bool read_error(struct reader *reader, struct fault *error)
{
	uint32_t count;

	if (read_nil(reader))
		return true;
	if (!read_map(reader, &count))
		return false;
	error->code = ERR_INTERNAL;
	for (uint32_t i = 0; i < count; i++) {
		struct str name;

		if (!read_str(reader, &name) || !read_error_member(reader, name, error))
			return false;
	}
	return true;
}

static enum err parse_answer(struct reader *reader, struct rpc *rpc, struct fault *fault)
{
	if (!read_error(reader, &rpc->error))
		return refuse(fault, "the error of an answer is nil or a map");
	rpc->result = last_item(reader);
	return ERR_OK;
}

static enum err parse_message(struct reader *reader, uint32_t count, struct rpc *rpc,
			      struct fault *fault)
{
	uint64_t type;

	if (!read_uint(reader, &type) || type > RPC_NOTIFICATION)
		return refuse(fault, "the first item is 0, 1 or 2");
	rpc->type = (enum rpc_type)type;
	if (rpc->type != RPC_NOTIFICATION && !read_msgid(reader, &rpc->msgid))
		return refuse(fault, "the message number is an integer below 2^32");
	if (count != (rpc->type == RPC_NOTIFICATION ? 3 : 4))
		return refuse(fault, "requests and answers have four items, notifications three");
	if (rpc->type == RPC_ANSWER)
		return parse_answer(reader, rpc, fault);
	return parse_call(reader, rpc, fault);
}

enum err rpc_parse(struct str bytes, struct rpc *rpc, struct fault *fault)
{
	struct reader reader = reader_from(bytes);
	uint32_t count;
	enum err err;

	*rpc = (struct rpc){0};
	err = codec_walk(bytes, fault);
	if (err)
		return err;
	if (!read_array(&reader, &count) || count == 0)
		return refuse(fault, "it is an array");
	return parse_message(&reader, count, rpc, fault);
}

enum err rpc_params(const struct rpc *rpc, const struct record *record, struct arena *arena,
		    void *object, struct fault *fault)
{
	struct reader reader = reader_from(rpc->params), ahead;
	uint32_t count;

	if (!read_array(&reader, &count) || count != 1)
		return refuse(fault, "params are an array with one map");
	ahead = reader;
	if (!read_map(&ahead, &count))
		return refuse(fault, "params are an array with one map");
	return codec_decode(record, &reader, "", 0, arena, object, fault);
}

void rpc_begin_request(struct buf *out, uint32_t msgid, const char *method)
{
	write_array(out, 4);
	write_uint(out, RPC_REQUEST);
	write_uint(out, msgid);
	write_text(out, method);
}

void rpc_begin_answer(struct buf *out, uint32_t msgid)
{
	write_array(out, 4);
	write_uint(out, RPC_ANSWER);
	write_uint(out, msgid);
	write_nil(out);
}

void rpc_begin_notification(struct buf *out, const char *method)
{
	write_array(out, 3);
	write_uint(out, RPC_NOTIFICATION);
	write_text(out, method);
}

void rpc_error(struct buf *out, uint32_t msgid, const struct fault *fault)
{
	write_array(out, 4);
	write_uint(out, RPC_ANSWER);
	write_uint(out, msgid);
	rpc_fault(out, fault);
	write_nil(out);
}

void rpc_fault(struct buf *out, const struct fault *fault)
{
	bool has_delay = fault->code == ERR_BUSY;

	write_map(out, has_delay ? 4 : 3);
	write_text(out, "code");
	write_text(out, err_name(fault->code));
	write_text(out, "path");
	write_text(out, fault->path);
	write_text(out, "text");
	write_text(out, fault->text);
	if (has_delay) {
		write_text(out, "retry_after_ms");
		write_uint(out, fault->retry_after_ms);
	}
}
