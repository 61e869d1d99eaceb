/* Nothing but the header: it must compile by itself, without a warning. */
#include <hanko.h>
int main(void) { return hanko_version() == 0; }
