/* vigie.conf → struct config: paths, sockets, sizes, senders, mail. Nothing in it decides who is
 * visited: that is policy. Every option is one row of options.def, from which parsing, checking, the
 * sample file and the manual page come. Each program reads the same file and uses its part. */
#pragma once

#include "config/policy_file.h"

enum { SENDERS_MAX = 256, SENDER_RULES_MAX = 32 };

/* What a sender may do. "*" stands for everything; a type rule may end in ".*". */
struct sender {
	char *name;
	char *key;     /* CURVE public key, Z85; NULL: none */
	int64_t uid;   /* of the peer on ipc://; -1: none */
	bool loopback; /* the one sender that bare TCP on loopback stands for */
	char *sources[SENDER_RULES_MAX + 1]; /* NULL-terminated, as are the next two */
	char *types[SENDER_RULES_MAX + 1];   /* without fr.vigie. */
	char *subject_sources[SENDER_RULES_MAX + 1];
	uint32_t rate; /* events a second; 0: no limit */
};

struct config {
	char *file; /* where it was read from */

	/* where things are */
	char *state_dir;   /* journal, keystore, snapshots: mode 0700 */
	char *policy_file; /* applied when a journal begins; later by policy.apply */
	char *key_file;    /* key-encryption key, 32 bytes; made with mode 0600 when missing */

	/* sockets (AF_UNIX paths) */
	char *gate_socket;
	char *worker_socket;
	char *status_socket;
	char *control_socket;

	/* intake */
	char *intake_ipc; /* path of the ZeroMQ ipc:// endpoint */
	char *intake_tcp; /* "127.0.0.1:5570", or NULL: closed */

	/* sizes */
	uint64_t journal_size_max; /* bytes of LMDB map */
	uint64_t disk_free_min;    /* bytes: less left and intake is refused */
	uint64_t snapshot_every;   /* events */

	/* mail */
	char *mail_delivery; /* "maildir" or "smtp" */
	char *mail_maildir;
	char *mail_from; /* address */
	char *mail_from_name;
	char *mail_domain;    /* right half of Message-ID and of calendar UIDs */
	char *mail_templates; /* folder */
	char *mail_journal;   /* folder of the sent-journal */
	char *smtp_host;
	uint32_t smtp_port;
	char *smtp_security;   /* "none" (loopback only), "starttls", "tls" */
	uint32_t smtp_timeout; /* seconds: for one reply */
	char *smtp_user;
	char *smtp_password_file;
	char *smtp_ca_file;

	struct sender senders[SENDERS_MAX];
	uint32_t sender_count;
};

/* All mistakes at once in `complaints`; the file's own folder is where relative paths begin. Strings
 * belong to the config. */
enum err config_load(const char *path, struct config **config,
		     struct complaints *complaints) must_use;
void config_free(struct config **config);

/* The option holds, but what it leads to does not: a complaint at its line. */
void config_complain(const struct config *config, struct complaints *complaints, const char *option,
		     const char *format, ...) printf_like(4, 5);

const struct sender *config_find_sender(const struct config *config, struct str name);
/* May this sender send that type (without prefix) from that source, about that subjectsource? NULL
 * when it may; else the envelope's field that forbids it ("source", "type", "subjectsource"). */
const char *sender_refuses(const struct sender *sender, struct str source, struct str type,
			   struct str subject_source);

/* Is this type granted by name, not only by "*"? What the coordinator says has to be. */
bool sender_names(const struct sender *sender, struct str type);

/* Is this one of the sender's sources? */
bool sender_owns(const struct sender *sender, struct str source);

/* The annotated sample file, made from the table. */
void config_print_sample(struct buf *out);
