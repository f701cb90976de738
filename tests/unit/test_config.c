/* vigie.conf: what is read, what is complained of, what a sender may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/config.h"
#include "tests/lib/files.h"

static const char good[] = "state_dir = \"state\";\n" /* 1 */
			   "policy_file = \"/etc/vigie/policy.conf\";\n"
			   "intake_tcp = \"127.0.0.1:5570\";\n"
			   "journal_size_max = \"8 GiB\";\n"
			   "disk_free_min = 3000000000L;\n" /* 5 */
			   "snapshot_every = 5000;\n"
			   "mail_delivery = \"smtp\";\n"
			   "mail_from = \"slime@exemple.test\";\n"
			   "smtp_host = \"mail.exemple.test\";\n"
			   "smtp_security = \"starttls\";\n" /* 10 */
			   "gate_socket = \"/run/vigie/gate.sock\";\n"
			   "senders = (\n"
			   "  { name = \"fsl\";\n"
			   "    uid = 1001;\n"
			   "    sources = [ \"urn:fsl\" ];\n" /* 15 */
			   "    types = [ \"fsl.*\", \"household.moved\" ];\n"
			   "    subject_sources = [ \"urn:other\" ];\n"
			   "    rate = 200; },\n"
			   "  { name = \"trial\";\n"
			   "    loopback = true;\n" /* 20 */
			   "    sources = [ \"*\" ];\n"
			   "    types = [ \"*\" ]; } );\n";

static enum err load(const char *text, struct config **config, struct complaints *complaints)
{
	return config_load(files_write("vigie.conf", text), config, complaints);
}

static void complaints_done(struct complaints *complaints)
{
	buf_done(&complaints->text);
}

/* What is set is read; relative paths begin at the file's folder; the domain follows the address. */
static void test_what_is_set_is_read(void **unused)
{
	scoped(complaints_done) struct complaints complaints = {0};
	scoped(config_free) struct config *config = NULL;

	(void)unused;

	assert_int_equal(load(good, &config, &complaints), ERR_OK);

	assert_string_equal(strrchr(config->state_dir, '/'), "/state");
	assert_memory_equal(config->state_dir, config->file, strlen(config->file) - 10);
	assert_string_equal(config->policy_file, "/etc/vigie/policy.conf");
	assert_int_equal(config->journal_size_max, 8589934592);
	assert_int_equal(config->disk_free_min, 3000000000);
	assert_int_equal(config->snapshot_every, 5000);
	assert_string_equal(config->mail_delivery, "smtp");
	assert_string_equal(config->mail_domain, "exemple.test");
	assert_string_equal(config->smtp_security, "starttls");
	assert_string_equal(config->intake_tcp, "127.0.0.1:5570");
	assert_int_equal(config->sender_count, 2);
	assert_int_equal(config->senders[0].uid, 1001);
	assert_int_equal(config->senders[0].rate, 200);
	assert_string_equal(config->senders[0].types[1], "household.moved");
	assert_null(config->senders[0].types[2]);
	assert_int_equal(config->senders[1].uid, -1);
	assert_true(config->senders[1].loopback);
	assert_null(config->senders[1].key);
}

/* An empty file is a whole configuration: the defaults, and nobody who may send. */
static void test_an_empty_file_holds_the_defaults(void **unused)
{
	scoped(complaints_done) struct complaints complaints = {0};
	scoped(config_free) struct config *config = NULL;

	(void)unused;

	assert_int_equal(load("", &config, &complaints), ERR_OK);

	assert_string_equal(config->state_dir, "/var/lib/vigie");
	assert_string_equal(strrchr(config->policy_file, '/'), "/policy.conf");
	assert_string_equal(config->mail_delivery, "maildir");
	assert_string_equal(config->smtp_security, "none");
	assert_int_equal(config->smtp_port, 25);
	assert_int_equal(config->journal_size_max, 64ull << 30);
	assert_null(config->intake_tcp);
	assert_null(config->mail_from);
	assert_int_equal(config->sender_count, 0);
}

/* One mistake each: what is replaced in the good file, by what, and where it is complained of. */
static const struct {
	const char *old, *new, *complaint;
} mistakes[] = {
	{"state_dir", "state_dri", "1: state_dri: no option has this name here"},
	{"\"state\"", "7", "1: state_dir: is 7; must be a path"},
	{"\"state\"", "\"\"", "1: state_dir: is \"\"; must be a path"},
	{"\"state\"", "\"a\\nb\"", "1: state_dir: is no clean text; must be a path"},
	{"\"127.0.0.1:5570\"", "\"0.0.0.0:5570\"", "3: intake_tcp: no loopback address"},
	{"\"127.0.0.1:5570\"", "\"127.0.0.1\"", "3: intake_tcp: no loopback address"},
	{"\"127.0.0.1:5570\"", "\"127.0.0.1:70000\"", "3: intake_tcp: no loopback address"},
	{"\"127.0.0.1:5570\"", "\"127.0.0.1:0\"", "3: intake_tcp: no loopback address"},
	{"\"127.0.0.1:5570\"", "\"localhost:5570\"", "3: intake_tcp: no loopback address"},
	{"\"127.0.0.1:5570\"", "\"127.0.0.1:5570,tcp://*\"", "3: intake_tcp: no loopback address"},
	{"\"8 GiB\"", "\"8 GB\"", "4: journal_size_max: is \"8 GB\"; must be a size from 16 MiB"},
	{"\"8 GiB\"", "\"8 MiB\"", "4: journal_size_max: is \"8 MiB\"; must be a size"},
	{"\"8 GiB\"", "8.5", "4: journal_size_max: is a decimal number; must be a size"},
	{"\"8 GiB\"", "\"99999999999 TiB\"", "4: journal_size_max: is \"99999999999 TiB\"; must"},
	{"\"8 GiB\"", "8589934592",
	 "4: journal_size_max: 8589934592 is too large as it is written"},
	{"3000000000L", "3000000000", "5: disk_free_min: 3000000000 is too large as it is written"},
	{"3000000000L", "\n\t3000000000", "5: disk_free_min: 3000000000 is too large"},
	{"3000000000L", "99999999999999999999L", "5: disk_free_min: 99999999999999999999L is too"},
	{"3000000000L", "0x1000000000", "5: disk_free_min: 0x1000000000 is too large as it is"},
	{"5000", "-1", "6: snapshot_every: is -1; must be a whole number from 0 to 1000000000"},
	{"5000", "4294972296", "6: snapshot_every: 4294972296 is too large as it is written"},
	{"5000", "010", "6: snapshot_every: 010 begins with 0; write it without"},
	{"5000", "true", "6: snapshot_every: is true; must be a whole number"},
	{"\"smtp\"", "\"SMTP\"",
	 "7: mail_delivery: is \"SMTP\"; must be one of \"maildir\", \"smtp\""},
	{"mail_from = \"slime@exemple.test\";", "", "1: mail_from: is missing; must be given for"},
	{"slime@exemple.test", "slime", "8: mail_from: is \"slime\"; must be an e-mail address"},
	{"slime@exemple.test", "a@b.test\\nBcc: c", "8: mail_from: is no clean text; must"},
	{"\"starttls\"", "\"none\"", "10: smtp_security: \"none\" is for a mail server on this"},
	{"smtp_host =", "smtp_user = \"v\"; smtp_host =", "1: smtp_password_file: is missing"},
	{"mail.exemple.test", "mail.exemple.test:25", "9: smtp_host: no name of a machine; must"},
	{"mail.exemple.test", "exemple.test/?a=b", "9: smtp_host: no name of a machine; must"},
	{"smtp_host =", "smtp_port = 465; smtp_host =",
	 "10: smtp_security: \"starttls\" is not spoken at port 465; must be \"tls\" there"},
	{"\"smtp\"", "\"maildir\"; mail_domain = \"a b\"", "7: mail_domain: no domain; must be"},
	{"smtp_host =", "smtp_timeout = 3601; smtp_host =",
	 "9: smtp_timeout: is 3601; must be a whole number from 1 to 3600 (seconds)"},
	{"smtp_host =", "smtp_password_file = \"v\"; smtp_host =", "1: smtp_user: is missing"},
	{"gate.sock", "intake.sock", "1: intake_ipc: is the path of gate_socket; each must"},
	{"/run/vigie/gate.sock",
	 "/run/"
	 "a-folder-so-deep-in-the-tree-of-files-that-its-name-does-not-fit-into-the-address-of-a-"
	 "socket/gate.sock",
	 "11: gate_socket: is \"/run/a-folder-so-deep-in-the-tree-of-files-that-its-name-doe…\"; "
	 "must"},
	{"\"state\"", "\"\xff\"", "1: state_dir: is no clean text; must be a path"},
	{"  { name = \"fsl\";\n", "  { \n", "13: senders[0].name: is missing; must be a text"},
	{"\"fsl\"", "\"trial\"", "19: senders[1].name: is that of senders[0]; must be of one"},
	{"uid = 1001;", "", "13: senders[0]: nobody can be this sender; must have a uid, a key"},
	{"uid = 1001", "uid = \"1001\"", "14: senders[0].uid: is \"1001\"; must be a whole number"},
	{"uid = 1001", "uid = 4294967295L", "14: senders[0].uid: is 4294967295; must be a whole"},
	{"loopback = true;", "uid = 1001;", "20: senders[1].uid: is that of senders[0]; must be"},
	{"uid = 1001", "loopback = true", "20: senders[1].loopback: is that of senders[0]; must"},
	{"uid = 1001", "key = \"short\"", "14: senders[0].key: is \"short\"; must be a text of 40"},
	{"uid = 1001", "key = \"0123456789012345678901234567890123456 ~|\"",
	 "14: senders[0].key: no CURVE key; must be 40 characters of the Z85"},
	{"loopback = true", "loopback = 1", "20: senders[1].loopback: is 1; must be true or false"},
	{"[ \"urn:fsl\" ]", "\"urn:fsl\"",
	 "15: senders[0].sources: is \"urn:fsl\"; must be an array"},
	{"[ \"urn:fsl\" ]", "[ ]",
	 "15: senders[0].sources: is an array [ ]; must be an array [ ] of 1"},
	{"[ \"urn:fsl\" ]", "[ \"a\", \"a\" ]", "15: senders[0].sources[1]: is there twice"},
	{"[ \"urn:fsl\" ]", "[ 1 ]", "15: senders[0].sources[0]: is 1; must be a text of 1 to 128"},
	{"household.moved", "household.mvoed",
	 "16: senders[0].types[1]: no type that senders may send"},
	{"household.moved", "fr.vigie.fsl.decided",
	 "16: senders[0].types[1]: no type that senders"},
	{"household.moved", "policy.applied", "16: senders[0].types[1]: no type that senders may"},
	{"rate = 200", "rate = 2000000", "18: senders[0].rate: is 2000000; must be a whole number"},
	{"rate", "rat", "18: senders[0].rat: no option has this name here; there are name, uid"},
	{"  { name = \"fsl\";", "  7, { name = \"fsl\";",
	 "13: senders[0]: is 7; must be a group { }"},
	{"snapshot_every", "snapshot_every = 1; snapshot_every", "6: duplicate setting name"},
	{"= 5000;", "5000;", "6: syntax error; settings are written name = value;"},
	{"snapshot_every = 5000;", "@include \"other.conf\"", "6: @include is not allowed"},
};

/* Each mistake is told once, at its line, with its path, and nothing else is. */
static void test_each_mistake_is_told_where_it_is(void **unused)
{
	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		scoped(complaints_done) struct complaints complaints = {0};
		scoped(mem_free) char *text = files_replace(good, mistakes[i].old, mistakes[i].new);
		struct config *config = NULL;

		assert_int_equal(load(text, &config, &complaints), ERR_USAGE);

		assert_null(config);
		if (!files_has_complaint(&complaints, "vigie.conf", mistakes[i].complaint))
			fail_msg("expected %s\nbut got %.*s", mistakes[i].complaint,
				 (int)complaints.text.size, complaints.text.data);
		if (complaints.count != 1)
			fail_msg("more than %s:\n%.*s", mistakes[i].complaint,
				 (int)complaints.text.size, complaints.text.data);
	}
}

/* Several mistakes are told all at once. */
static void test_all_mistakes_are_told_at_once(void **unused)
{
	scoped(complaints_done) struct complaints complaints = {0};
	struct config *config = NULL;

	(void)unused;

	assert_int_equal(load("state_dri = 1;\nsmtp_port = 0;\nmail_from = \"x\";\n"
			      "senders = ( { }, { name = \"a\"; } );\n",
			      &config, &complaints),
			 ERR_USAGE);

	assert_true(files_has_complaint(&complaints, "vigie.conf", "1: state_dri: "));
	assert_true(files_has_complaint(&complaints, "vigie.conf", "2: smtp_port: "));
	assert_true(files_has_complaint(&complaints, "vigie.conf", "3: mail_from: "));
	assert_true(files_has_complaint(&complaints, "vigie.conf", "4: senders[0].name: "));
	assert_true(files_has_complaint(&complaints, "vigie.conf", "4: senders[0].types: "));
	assert_true(files_has_complaint(&complaints, "vigie.conf", "4: senders[1].sources: "));
	assert_int_equal(complaints.count, 3 + 4 + 3);
}

/* A file that is not there, or is a folder, is a complaint like any other. */
static void test_a_file_that_cannot_be_read_is_told(void **unused)
{
	scoped(complaints_done) struct complaints complaints = {0};
	struct config *config = NULL;

	(void)unused;

	assert_int_equal(config_load("/nowhere/vigie.conf", &config, &complaints), ERR_USAGE);
	assert_int_equal(config_load("/tmp", &config, &complaints), ERR_USAGE);

	assert_int_equal(complaints.count, 2);
	assert_non_null(strstr(complaints.text.data, "/nowhere/vigie.conf: it cannot be read: "));
	assert_non_null(strstr(complaints.text.data, "/tmp: it cannot be read: "));
}

/* Numbers in strings, comments and names are no numbers, and comments may be of any kind. */
static void test_numbers_elsewhere_are_left_alone(void **unused)
{
	static const char text[] = "# 99999999999\n// 99999999999 \"\n/* 99999999999\n\" */\n"
				   "state_dir = \"99999999999 \\\" 99999999999\";\n"
				   "disk_free_min = 0x7fffffff; snapshot_every = 7;";
	scoped(complaints_done) struct complaints complaints = {0};
	scoped(config_free) struct config *config = NULL;

	(void)unused;

	assert_int_equal(load(text, &config, &complaints), ERR_OK);

	assert_int_equal(config->disk_free_min, 0x7fffffff);
}

/* A sender may send what its rules say, and quote its own numbers; the first refusal is named. */
static void test_a_sender_may_what_its_rules_say(void **unused)
{
	scoped(complaints_done) struct complaints complaints = {0};
	scoped(config_free) struct config *config = NULL;
	const struct sender *fsl, *trial;

	(void)unused;
	assert_int_equal(load(good, &config, &complaints), ERR_OK);

	fsl = config_find_sender(config, STR("fsl"));
	trial = config_find_sender(config, STR("trial"));

	assert_null(config_find_sender(config, STR("fs")));
	assert_null(sender_refuses(fsl, STR("urn:fsl"), STR("fsl.decided"), (struct str){0}));
	assert_null(sender_refuses(fsl, STR("urn:fsl"), STR("household.moved"), STR("urn:fsl")));
	assert_null(sender_refuses(fsl, STR("urn:fsl"), STR("fsl.decided"), STR("urn:other")));
	assert_string_equal(sender_refuses(fsl, STR("urn:fs"), STR("x"), STR("x")), "source");
	assert_string_equal(sender_refuses(fsl, STR("urn:fsl"), STR("fsl"), STR("x")), "type");
	assert_string_equal(sender_refuses(fsl, STR("urn:fsl"), STR("fslx.y"), STR("x")), "type");
	assert_string_equal(sender_refuses(fsl, STR("urn:fsl"), STR("fsl.decided"), STR("urn:x")),
			    "subjectsource");
	assert_null(sender_refuses(trial, STR("urn:any"), STR("case.closed"), STR("urn:any")));
	assert_string_equal(sender_refuses(trial, STR("urn:any"), STR("a"), STR("urn:b")),
			    "subjectsource");
	assert_true(sender_owns(fsl, STR("urn:fsl")));
	assert_false(sender_owns(fsl, STR("urn:other")));
}

/* The sample in the repository is the one the table makes, and it can be read. */
static void test_the_sample_is_what_the_table_says(void **unused)
{
	scoped(complaints_done) struct complaints complaints = {0};
	scoped(config_free) struct config *config = NULL;
	scoped(buf_done) struct buf sample = {0}, committed = {0};
	FILE *file = fopen("config/vigie.conf", "r");

	(void)unused;
	assert_non_null(file);
	committed.size = fread(buf_room(&committed, 65536), 1, 65536, file);
	fclose(file);

	config_print_sample(&sample);

	assert_true(str_equal(buf_str(&sample), buf_str(&committed)));
	assert_int_equal(config_load("config/vigie.conf", &config, &complaints), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_set_is_read),
		cmocka_unit_test(test_an_empty_file_holds_the_defaults),
		cmocka_unit_test(test_each_mistake_is_told_where_it_is),
		cmocka_unit_test(test_all_mistakes_are_told_at_once),
		cmocka_unit_test(test_a_file_that_cannot_be_read_is_told),
		cmocka_unit_test(test_numbers_elsewhere_are_left_alone),
		cmocka_unit_test(test_a_sender_may_what_its_rules_say),
		cmocka_unit_test(test_the_sample_is_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
