/* The header alone, and twice. */
#include "wharf.h"
#include "wharf.h"

int main(void)
{
    /* Its constants can stand where the preprocessor looks. */
#if WHARF_VERSION_NUMBER < 1
    return 1;
#endif
    return wharf_version_number() == WHARF_VERSION_NUMBER ? 0 : 2;
}
