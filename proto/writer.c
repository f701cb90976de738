#include "proto/writer.h"

#include <msgpack/pack.h>

static int packer_write(void *data, const char *bytes, size_t size)
{
	buf_add(data, bytes, size);
	return 0;
}

static inline msgpack_packer packer(struct buf *out)
{
	return (msgpack_packer){.data = out, .callback = packer_write};
}

void write_array(struct buf *out, uint32_t count)
{
	msgpack_packer to = packer(out);

	msgpack_pack_array(&to, count);
}

void write_map(struct buf *out, uint32_t count)
{
	msgpack_packer to = packer(out);

	msgpack_pack_map(&to, count);
}

/* Nearly all that is written is short: its head and body in one go, as the library would write them. */
static void write_short(struct buf *out, const char *text, size_t size)
{
	char *room = buf_room(out, 1 + size);

	room[0] = (char)(0xa0 | size);
	memcpy(room + 1, text, size);
}

void write_str(struct buf *out, struct str text)
{
	msgpack_packer to = packer(out);

	if (text.size > 0 && text.size < 32) {
		write_short(out, text.data, text.size);
		return;
	}
	msgpack_pack_str(&to, text.size);
	buf_add_str(out, text);
}

void write_text(struct buf *out, const char *text)
{
	write_str(out, str_from(text));
}

void write_bytes(struct buf *out, struct str bytes)
{
	msgpack_packer to = packer(out);

	msgpack_pack_bin(&to, bytes.size);
	buf_add_str(out, bytes);
}

void write_uint(struct buf *out, uint64_t value)
{
	msgpack_packer to = packer(out);

	msgpack_pack_uint64(&to, value);
}

void write_sint(struct buf *out, int64_t value)
{
	msgpack_packer to = packer(out);

	msgpack_pack_int64(&to, value);
}

void write_real(struct buf *out, double value)
{
	msgpack_packer to = packer(out);

	msgpack_pack_double(&to, value);
}

void write_bool(struct buf *out, bool value)
{
	msgpack_packer to = packer(out);

	if (value)
		msgpack_pack_true(&to);
	else
		msgpack_pack_false(&to);
}

void write_nil(struct buf *out)
{
	msgpack_packer to = packer(out);

	msgpack_pack_nil(&to);
}
