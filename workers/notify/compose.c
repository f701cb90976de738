#include "workers/notify/compose.h"

#include "workers/notify/calendar.h"
#include "workers/notify/mime.h"

void compose_init(void)
{
	mime_init();
}

enum err compose_mail(struct templates *templates, const struct config *config,
		      const struct mail_body *body, struct composed *composed)
{
	enum err err = templates_render(templates, body, str_from(config->mail_from_name),
					&composed->text);

	if (err != ERR_OK)
		return err;
	calendar_print(body, config, &composed->calendar);
	mime_print(body, config, &composed->text, &composed->calendar, &composed->message);
	return ERR_OK;
}

void composed_done(struct composed *composed)
{
	mail_text_done(&composed->text);
	buf_done(&composed->calendar);
	buf_done(&composed->message);
}
