#include "daemon/io/pairing.h"

enum err pairing_check_count(uint64_t held, uint64_t known, struct fault *fault)
{
	if (known <= held)
		return ERR_OK;
	return fault_set(fault, ERR_CORRUPT, "",
			 "the keystore knows of %llu events and the journal holds %llu: one of them "
			 "is missing or of another time; restore both from the same backup",
			 (unsigned long long)known, (unsigned long long)held);
}
