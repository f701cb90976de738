#include "tools/vigiectl/arguments.h"

#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/vigiectl/completion.h"
#include "tools/vigiectl/value.h"

enum {
	KEY_STATUS_SOCKET = 256,
	KEY_CONTROL_SOCKET,
	KEY_COMPLETION,
	KEY_VERSION,
	KEY_ARGUMENT = 512
};

/* Names as the command line has them: "second-visit", "CASE". Long enough for every name there is. */
enum { NAME_SIZE = 32, HELP_SIZE = 256 };

/* --- options that every command has --- */

static const struct argp_option session_options[] = {
	{"config", 'c', "FILE", 0, "vigie.conf (default /etc/vigie/vigie.conf)", -2},
	{"status-socket", KEY_STATUS_SOCKET, "PATH", 0, "the socket for reading", -2},
	{"control-socket", KEY_CONTROL_SOCKET, "PATH", 0, "the socket for acting", -2},
	{"json", 'j', NULL, 0, "print the answer as it came", -2},
	{0},
};

static error_t parse_session_option(int key, char *value, struct argp_state *state)
{
	struct session *session = state->input;

	switch (key) {
	case 'c':
		session->config = value;
		return 0;
	case 'j':
		session->as_json = true;
		return 0;
	case KEY_STATUS_SOCKET:
		session->sockets[SOCKET_READS] = value;
		return 0;
	case KEY_CONTROL_SOCKET:
		session->sockets[SOCKET_ACTS] = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp session_argp = {session_options, parse_session_option, 0, 0, 0, 0, 0};
static const struct argp_child session_child[] = {{&session_argp, 0, NULL, 0}, {0}};

/* --- first: which command --- */

struct choice {
	struct session *session;
	const struct command *command;
	bool is_done;
	int next; /* where the command's own arguments begin */
};

static const struct argp_option choice_options[] = {
	{"completion", KEY_COMPLETION, NULL, 0, "print the completion for bash", 0},
	{"version", KEY_VERSION, NULL, 0, "print the version", 0},
	{0},
};

static bool is_beginning(const char *words, const char *first)
{
	size_t size = strlen(first);

	return strncmp(words, first, size) == 0 && (words[size] == ' ' || words[size] == '\0');
}

/* "no such command; those that begin with "queue": list" */
static void refuse_words(struct argp_state *state, const char *first)
{
	struct buf others = {0};

	for (const struct command *command = commands; command->words; command++) {
		if (is_beginning(command->words, first))
			buf_printf(&others, "\n  vigiectl %s", command->words);
	}
	if (others.size)
		argp_error(state, "no such command; these begin with \"%s\":%.*s", first,
			   (int)others.size, others.data);
	argp_error(state, "no such command: \"%s\"; vigiectl --help lists them", first);
}

static void choose(struct choice *choice, struct argp_state *state)
{
	int used, first = state->next - 1;

	choice->command = command_find(state->argv + first, state->argc - first, &used);
	if (!choice->command)
		refuse_words(state, state->argv[first]);
	choice->next = first + used;
	state->next = state->argc;
}

static error_t parse_choice(int key, char *value, struct argp_state *state)
{
	struct choice *choice = state->input;

	(void)value;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = choice->session;
		return 0;
	case ARGP_KEY_ARG:
		choose(choice, state);
		return 0;
	case KEY_COMPLETION:
		completion_print();
		choice->is_done = true;
		return 0;
	case KEY_VERSION:
		puts("vigiectl " VIGIE_VERSION);
		choice->is_done = true;
		return 0;
	case ARGP_KEY_END:
		if (!choice->command && !choice->is_done)
			argp_error(state, "a command is expected; vigiectl --help lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

enum { LIST_INDENT = 21, POSITIONAL_INDENT = 13, LINE_WIDTH = 78 };

/* argp folds longer lines, but knows nothing of columns. */
static void add_folded(struct buf *out, const char *text, int indent)
{
	size_t margin = (size_t)indent, column = margin;

	while (*text) {
		size_t size = strcspn(text, " ");

		if (column > margin && column + 1 + size > LINE_WIDTH) {
			buf_printf(out, "\n%*s", indent, "");
			column = margin;
		} else if (column > margin) {
			buf_printf(out, " ");
			column++;
		}
		buf_add(out, text, size);
		column += size;
		text += size + (text[size] == ' ');
	}
	buf_printf(out, "\n");
}

/* Takes the place of the text after the options. */
static char *list_commands(int key, const char *text, void *input)
{
	struct buf list = {0};

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	buf_printf(&list, "Commands, each with its own --help:\n");
	for (const struct command *command = commands; command->words; command++) {
		buf_printf(&list, "  %-*s", LIST_INDENT - 2, command->words);
		add_folded(&list, command->help, LIST_INDENT);
	}
	buf_printf(&list, "\nStatus: 0 done, 1 refused, 2 wrong usage, 3 no core answers.");
	buf_add(&list, "", 1);
	return list.data;
}

static const struct argp choice_argp = {choice_options,
					parse_choice,
					"COMMAND [ARGUMENT...]",
					"Asks and orders the core of vigie.\vCommands",
					session_child,
					list_commands,
					0};

/* --- then: its own arguments --- */

struct parse {
	const struct command *command;
	struct session *session;
	json_t *params;
};

static void spell(const struct argument *argument, bool is_upper, char name[NAME_SIZE])
{
	size_t size = strlen(argument->name);

	assert(size < NAME_SIZE);
	for (size_t i = 0; i <= size; i++) {
		char letter = argument->name[i] == '_' ? '-' : argument->name[i];

		name[i] = is_upper ? (char)toupper((unsigned char)letter) : letter;
	}
}

/* "CASE" or "--by", as the person wrote it. */
static void call_by_name(const struct argument *argument, char name[NAME_SIZE + 2])
{
	bool is_positional = argument->flags & IS_POSITIONAL;

	strcpy(name, is_positional ? "" : "--");
	spell(argument, is_positional, name + strlen(name));
}

static void take_value(struct parse *parse, const struct argument *argument, const char *text,
		       struct argp_state *state)
{
	struct buf complaint = {0};
	char name[NAME_SIZE + 2];
	json_t *value = argument->type == ARGUMENT_FLAG ? json_true()
							: value_parse(argument, text, &complaint);

	call_by_name(argument, name);
	if (!value)
		argp_error(state, "%s: %.*s", name, (int)complaint.size, complaint.data);
	if (argument->type == ARGUMENT_WORDS && json_object_get(parse->params, argument->name)) {
		json_array_extend(json_object_get(parse->params, argument->name), value);
		json_decref(value);
		return;
	}
	json_object_set_new(parse->params, argument->name, value);
}

static void take_positional(struct parse *parse, const char *text, struct argp_state *state)
{
	uint32_t left = state->arg_num;

	for (const struct argument *argument = parse->command->arguments; argument->name;
	     argument++) {
		if (argument->flags & IS_POSITIONAL && left-- == 0) {
			take_value(parse, argument, text, state);
			return;
		}
	}
	argp_error(state, "one argument too many: \"%s\"", text);
}

static void describe(const struct argument *argument, struct buf *out)
{
	struct buf choices = {0};

	value_print_choices(argument, ", ", &choices);
	buf_printf(out, "%s", argument->help);
	if (choices.size)
		buf_printf(out, ": %.*s", (int)choices.size, choices.data);
	buf_done(&choices);
}

static void refuse_missing(const struct argument *argument, struct argp_state *state)
{
	struct buf help = {0};
	char name[NAME_SIZE + 2];

	call_by_name(argument, name);
	describe(argument, &help);
	argp_error(state, "%s is missing: %.*s", name, (int)help.size, help.data);
}

static void check_required(struct parse *parse, struct argp_state *state)
{
	for (const struct argument *argument = parse->command->arguments; argument->name;
	     argument++) {
		if (argument->flags & IS_REQUIRED &&
		    !json_object_get(parse->params, argument->name))
			refuse_missing(argument, state);
	}
}

static error_t parse_argument(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = parse->session;
		return 0;
	case ARGP_KEY_ARG:
		take_positional(parse, value, state);
		return 0;
	case ARGP_KEY_END:
		check_required(parse, state);
		return 0;
	default:
		if (key < KEY_ARGUMENT || key >= KEY_ARGUMENT + ARGUMENTS_MAX)
			return ARGP_ERR_UNKNOWN;
		take_value(parse, &parse->command->arguments[key - KEY_ARGUMENT], value, state);
		return 0;
	}
}

/* --- a command's table as argp wants it --- */

struct grammar {
	struct argp_option options[ARGUMENTS_MAX + 1];
	char names[ARGUMENTS_MAX][NAME_SIZE];
	char values[ARGUMENTS_MAX][NAME_SIZE];
	char helps[ARGUMENTS_MAX][HELP_SIZE];
	struct buf usage; /* "CASE REASON" */
	struct buf doc;
};

static void add_option(struct grammar *grammar, uint32_t at, const struct argument *argument,
		       struct argp_option *option)
{
	struct buf help = {0};

	spell(argument, false, grammar->names[at]);
	spell(argument, true, grammar->values[at]);
	describe(argument, &help);
	snprintf(grammar->helps[at], HELP_SIZE, "%.*s%s", (int)help.size, help.data,
		 argument->flags & IS_REQUIRED ? " (required)" : "");
	buf_done(&help);
	*option = (struct argp_option){
		.name = grammar->names[at],
		.key = KEY_ARGUMENT + (int)at,
		.arg = argument->type == ARGUMENT_FLAG ? NULL : grammar->values[at],
		.doc = grammar->helps[at],
	};
}

static void add_positional(struct grammar *grammar, const struct argument *argument)
{
	bool is_required = argument->flags & IS_REQUIRED;
	struct buf help = {0};
	char name[NAME_SIZE];

	spell(argument, true, name);
	buf_printf(&grammar->usage, "%s%s%s%s", grammar->usage.size ? " " : "",
		   is_required ? "" : "[", name, is_required ? "" : "]");
	buf_printf(&grammar->doc, "  %-*s", POSITIONAL_INDENT - 2, name);
	describe(argument, &help);
	buf_add(&help, "", 1);
	add_folded(&grammar->doc, help.data, POSITIONAL_INDENT);
	buf_done(&help);
}

static void grammar_make(struct grammar *grammar, const struct command *command)
{
	struct argp_option *option = grammar->options;

	buf_printf(&grammar->doc, "%s\n\n", command->help);
	for (uint32_t i = 0; i < command_argument_count(command); i++) {
		const struct argument *argument = &command->arguments[i];

		if (argument->flags & IS_POSITIONAL)
			add_positional(grammar, argument);
		else
			add_option(grammar, i, argument, option++);
	}
	buf_add(&grammar->usage, "", 1);
	buf_add(&grammar->doc, "", 1);
}

/* argp calls the program by its first word: "vigiectl queue list". */
static void parse_rest(struct parse *parse, int argc, char **argv)
{
	struct grammar *grammar = mem_new(sizeof(*grammar));
	struct buf name = {0};
	struct argp argp;

	grammar_make(grammar, parse->command);
	argp = (struct argp){grammar->options,
			     parse_argument,
			     grammar->usage.data,
			     grammar->doc.data,
			     session_child,
			     0,
			     0};
	buf_printf(&name, "vigiectl %s", parse->command->words);
	buf_add(&name, "", 1);
	argv[0] = name.data;
	argp_parse(&argp, argc, argv, 0, NULL, parse);
	buf_done(&name);
	buf_done(&grammar->usage);
	buf_done(&grammar->doc);
	free(grammar);
}

const struct command *arguments_parse(int argc, char **argv, struct session *session,
				      json_t **params)
{
	struct choice choice = {.session = session};
	struct parse parse = {.session = session};

	argp_err_exit_status = STATUS_USAGE;
	setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	argp_parse(&choice_argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	if (!choice.command)
		return NULL;
	parse.command = choice.command;
	parse.params = json_object();
	parse_rest(&parse, argc - choice.next + 1, argv + choice.next - 1);
	*params = parse.params;
	return parse.command;
}
