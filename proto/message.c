#include "proto/message.h"

#define WORD(NAME, VALUE, number, text) [number] = text,
#define WORDS(NAME, name, ...)                                                                     \
	static const char *const word_##name[] = {__VA_ARGS__};                                    \
	const struct words words_##name = {#name, ARRAY_SIZE(word_##name), word_##name};
#include "proto/words.def"
#undef WORDS
#undef WORD

#define FIELD                                                     FIELD_ROW
#define RECORD(name, ...)                                         RECORD_TABLE(name __VA_ARGS__)
#define MESSAGE(name, ...)                                        RECORD_TABLE(name __VA_ARGS__)
#define EVENT(KIND, kind, number, type, class, subject, key, ...) RECORD_TABLE(kind __VA_ARGS__)
#include "proto/records.def"
#include "proto/messages.def"
#include "proto/events.def"
#undef EVENT
#undef MESSAGE
#undef RECORD
#undef FIELD

static const struct event_info infos[EVENT_KIND_END] = {
#define EVENT(KIND, kind, number, type, class, subject, key, ...)                                  \
	[number] = {type, CLASS_##class, SUBJECT_##subject, KEY_##key, &record_##kind},
#include "proto/events.def"
#undef EVENT
};

/* Every kind once, with the length of its type, which tells most of them apart at a glance. */
static const struct {
	uint8_t kind, size;
	const char *type;
} types[] = {
#define EVENT(KIND, kind, number, type, ...) {number, sizeof(type) - 1, type},
#include "proto/events.def"
#undef EVENT
};

const struct event_info *event_info_find(uint32_t kind)
{
	return kind < EVENT_KIND_END && infos[kind].type ? &infos[kind] : NULL;
}

enum event_kind event_kind_find(struct str type)
{
	const size_t prefix = sizeof(EVENT_TYPE_PREFIX) - 1;

	if (type.size <= prefix || memcmp(type.data, EVENT_TYPE_PREFIX, prefix) != 0)
		return 0;
	type.data += prefix;
	type.size -= prefix;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].size == type.size && !memcmp(types[i].type, type.data, type.size))
			return types[i].kind;
	}
	return 0;
}

void event_clear(struct event *event, enum event_kind kind)
{
	const struct event_info *info = event_info_find(kind);

	memset(event, 0, sizeof(*event));
	event->time = MS_NONE;
	event->kind = kind;
	if (info)
		record_clear(info->record, &event->data);
}

void event_copy(const struct event *event, struct event *copy)
{
	const struct event_info *info = event_info_find(event->kind);

	assert(info);
	memcpy(copy, event, offsetof(struct event, data) + info->record->size);
}
