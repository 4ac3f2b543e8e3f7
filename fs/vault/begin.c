#include "fs/crypt/secret.h"
#include "fs/vault/vault.h"

int vault_begin(struct err *e)
{
	return secret_begin(e);
}

void vault_scrub_stack(void)
{
	secret_scrub_stack();
}

const char *vault_memory_warning(void)
{
	if (secret_is_locked())
		return NULL;
	return "keys lie in memory that could not be locked, so they may be written to swap: "
	       "allow more of it (ulimit -l, or LimitMEMLOCK= of a service; 8 MiB will do), "
	       "or see that swap is encrypted or off";
}
