/* Statuses, their words, the last error, the version. */
#include "door.h"

int main(void)
{
    char version[32];
    CHECK(WHARF_STATUS_OK == 0);
    CHECK(strcmp(wharf_status_text(WHARF_STATUS_CLOSED), "the port is closed") == 0);
    CHECK(strstr(wharf_status_text((wharf_status)5000), "another version") != NULL);
    CHECK(strstr(wharf_status_text(WHARF_STATUS_LARGEST), "another version") != NULL);

    /* Nothing has gone wrong yet. */
    CHECK(strcmp(wharf_error_text(), "") == 0);
    CHECK(strcmp(wharf_error_reason(), "") == 0);
    CHECK(wharf_process_new(NULL) == NULL);
    CHECK(strcmp(wharf_error_text(), "wharf_process_new: the host is NULL") == 0);

    snprintf(version, sizeof version, "%d.%d.%d", WHARF_VERSION_MAJOR, WHARF_VERSION_MINOR,
             WHARF_VERSION_PATCH);
    CHECK(strcmp(version, wharf_version_text()) == 0);
    CHECK(wharf_abi_version() == WHARF_ABI_VERSION);
    return 0;
}
