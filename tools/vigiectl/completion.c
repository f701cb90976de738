#include "tools/vigiectl/completion.h"

#include <stdio.h>

#include "tools/vigiectl/value.h"

static const char head[] =
	"# Completion of vigiectl for bash. Made by `vigiectl --completion`; do not edit.\n"
	"\n"
	"_vigiectl()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tlocal words= skip= word\n"
	"\n"
	"\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do\n"
	"\t\tif [ -n \"$skip\" ]; then skip=; continue; fi\n"
	"\t\tcase $word in\n"
	"\t\t-c|--config|--status-socket|--control-socket) skip=1 ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*) words+=\"$word \" ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase $previous in\n"
	"\t-c|--config|--status-socket|--control-socket)\n"
	"\t\tCOMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
	"\tesac\n"
	"\n"
	"\tcase $words in\n";

static const char tail[] = "\tesac\n"
			   "}\n"
			   "complete -F _vigiectl vigiectl\n";

static void print_option_name(const struct argument *argument)
{
	printf("--");
	for (const char *letter = argument->name; *letter; letter++)
		putchar(*letter == '_' ? '-' : *letter);
}

static void print_choices(const struct argument *argument)
{
	struct buf choices = {0};

	value_print_choices(argument, " ", &choices);
	printf("%.*s", (int)choices.size, choices.size ? choices.data : "");
	buf_done(&choices);
}

static bool has_choices(const struct argument *argument)
{
	return argument->words || argument->answers[0];
}

/* What may follow an option that takes a value: its choices, or nothing that could be guessed. */
static void print_option_values(const struct command *command)
{
	for (const struct argument *argument = command->arguments; argument->name; argument++) {
		if (argument->flags & IS_POSITIONAL || argument->type == ARGUMENT_FLAG)
			continue;
		printf("\t\t");
		print_option_name(argument);
		printf(") COMPREPLY=($(compgen %s-W \"",
		       argument->type == ARGUMENT_FILE ? "-f " : "");
		print_choices(argument);
		printf("\" -- \"$current\")); return ;;\n");
	}
}

static void print_words(const struct command *command)
{
	for (const struct argument *argument = command->arguments; argument->name; argument++) {
		if (argument->flags & IS_POSITIONAL) {
			if (has_choices(argument)) {
				print_choices(argument);
				putchar(' ');
			}
			continue;
		}
		print_option_name(argument);
		putchar(' ');
	}
	printf("--json --help");
}

static bool takes_file(const struct command *command)
{
	return command->arguments[0].name && command->arguments[0].type == ARGUMENT_FILE;
}

static void print_command(const struct command *command)
{
	printf("\t\"%s \"*)\n\t\tcase $previous in\n", command->words);
	print_option_values(command);
	printf("\t\tesac\n\t\tCOMPREPLY=($(compgen %s-W \"", takes_file(command) ? "-f " : "");
	print_words(command);
	printf("\" -- \"$current\")) ;;\n");
}

/* The first word, once each: commands of one first word stand together in the table. */
static bool is_first_of_its_word(const struct command *command)
{
	size_t size = strcspn(command->words, " ");

	return command == commands || strncmp(command[-1].words, command->words, size) != 0 ||
	       command[-1].words[size] != ' ';
}

static void print_second_words(const struct command *first)
{
	size_t size = strcspn(first->words, " ");

	if (!first->words[size])
		return;
	printf("\t\"%.*s \") COMPREPLY=($(compgen -W \"", (int)size, first->words);
	for (const struct command *command = first; command->words; command++) {
		if (strncmp(command->words, first->words, size + 1) == 0)
			printf("%s%s", command == first ? "" : " ", command->words + size + 1);
	}
	printf("\" -- \"$current\")) ;;\n");
}

static void print_first_words(void)
{
	printf("\t\"\") COMPREPLY=($(compgen -W \"");
	for (const struct command *command = commands; command->words; command++) {
		if (is_first_of_its_word(command))
			printf("%.*s ", (int)strcspn(command->words, " "), command->words);
	}
	printf("--config --status-socket --control-socket --json --help\" -- \"$current\")) ;;\n");
}

void completion_print(void)
{
	fputs(head, stdout);
	print_first_words();
	for (const struct command *command = commands; command->words; command++)
		print_command(command);
	for (const struct command *command = commands; command->words; command++) {
		if (is_first_of_its_word(command))
			print_second_words(command);
	}
	fputs(tail, stdout);
}
