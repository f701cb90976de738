/* The same events as CloudEvents JSON, and records as JSON objects. jansson is known to this file and
 * to those that answer in JSON (daemon/view.c, daemon/io/control.c, tools). */
#pragma once

#include <jansson.h>

#include "proto/codec.h"

/* Like event_decode(), from one JSON object. The text is copied into `arena`. */
enum err event_from_json(const json_t *json, struct arena *arena, struct event *event,
			 struct fault *fault) must_use;
/* One line of NDJSON: parses, then as above. ERR_BAD_FRAME tells the column. */
enum err event_from_json_line(struct str line, struct arena *arena, struct event *event,
			      struct fault *fault) must_use;
json_t *event_to_json(const struct event *event);

enum err record_from_json(const struct record *record, const json_t *json, const char *path,
			  struct arena *arena, void *object, struct fault *fault) must_use;
/* Present fields that have none of `flags_out`. */
json_t *record_to_json(const struct record *record, const void *object, uint32_t flags_out);
