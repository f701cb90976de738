#include "daemon/state/fact.h"

insee_t fact_commune(const struct standing *standing, day_t *since)
{
	const struct fact *fact = standing->fact;

	switch (fact->kind) {
	case EVENT_REFERRAL_RECEIVED:
		*since = standing->day;
		return fact->referral.insee;
	case EVENT_SUPPLIER_NOTICE:
		*since = fact->notice.issued_on;
		return fact->notice.insee;
	case EVENT_SUPPLIER_LIMITED:
	case EVENT_SUPPLIER_CUT:
	case EVENT_SUPPLIER_RESTORED:
		*since = fact->supply.on;
		return fact->supply.insee;
	case EVENT_FSL_REQUEST_FILED:
		*since = fact->request.filed_on;
		return fact->request.insee;
	case EVENT_HOUSEHOLD_MOVED:
		*since = fact->move.on;
		return fact->move.insee;
	default:
		return 0;
	}
}
