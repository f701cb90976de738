#include "workers/notify/samples.h"

#include "proto/json.h"

/* The macros of the table are expanded first, then all becomes text. */
#define TEXT_OF(...)    TEXT_AS_IS(__VA_ARGS__)
#define TEXT_AS_IS(...) #__VA_ARGS__

#pragma push_macro("true") /* JSON's own words */
#pragma push_macro("false")
#undef true
#undef false

static const struct sample samples[] = {
#define SAMPLE(name, mail, ...)                                                                    \
	{name, #mail, "{\"message_id\": \"" name "\", " TEXT_OF(__VA_ARGS__) "}"},
#include "workers/notify/samples.def"
#undef SAMPLE
};

#pragma pop_macro("false")
#pragma pop_macro("true")

uint32_t sample_count(void)
{
	return ARRAY_SIZE(samples);
}

const struct sample *sample_at(uint32_t index)
{
	assert(index < ARRAY_SIZE(samples));
	return &samples[index];
}

void sample_read(const struct sample *sample, struct arena *arena, struct mail_body *body)
{
	json_t *json = json_loads(sample->body, JSON_REJECT_DUPLICATES, NULL);
	struct fault fault;
	enum err err;

	assert(json);
	err = record_from_json(&record_mail_body, json, "", arena, body, &fault);
	assert(err == ERR_OK);
	json_decref(json);
}
