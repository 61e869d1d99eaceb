/* Loads the library as its arguments say, changes the environment in every way there is, and prints which variable
   hanko_validate complains of after each change, as one JSON line.

   Arguments: the library; "deep" for RTLD_DEEPBIND; how many other variables there are. It refers to environ by itself:
   linked without PIE, the program has the copy of it that everybody but a library loaded so uses. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int (*validate)(const char *);
static const char *(*last_error)(void);
static int is_first = 1;

static void tell(const char *change)
{
  char first[80] = "", second[80] = "";
  /* Twice: what one call has remembered must not change what the next one says. */
  validate("token");
  sscanf(last_error(), "%79[A-Z_] ", first);
  validate("token");
  sscanf(last_error(), "%79[A-Z_] ", second);
  printf("%s\"%s\":\"%s%s%s\"", is_first ? "{" : ",", change, first, strcmp(first, second) ? " then " : "",
         strcmp(first, second) ? second : "");
  is_first = 0;
}

static char **place_of(const char *name)
{
  for (char **entry = environ; *entry; entry++)
    if (strncmp(*entry, name, strlen(name)) == 0) return entry;
  _exit(94);
}

int main(int count, char **arguments)
{
  if (count < 4) return 97;
  int flags = RTLD_NOW | (strcmp(arguments[2], "deep") == 0 ? RTLD_DEEPBIND : 0);
  void *library = dlopen(arguments[1], flags);
  if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 96;
  validate = (int (*)(const char *))dlsym(library, "hanko_validate");
  last_error = (const char *(*)(void))dlsym(library, "hanko_last_error");
  for (int number = 0; number < atoi(arguments[3]); number++) {
    char name[32];
    snprintf(name, sizeof name, "OTHER_%d", number);
    setenv(name, "x", 1);
  }

  tell("as it was");
  unsetenv("HANKO_TIMEOUT_MS");
  tell("unsetenv");
  setenv("HANKO_MAX_RETRIES", "x", 1);
  tell("setenv");
  setenv("HANKO_MAX_RETRIES", "1", 1);
  tell("setenv of the same name");
  static char text[] = "HANKO_COOKIE_NAME=a b";
  putenv(text);
  tell("putenv");
  strcpy(text, "HANKO_COOKIE_NAME=ab");
  tell("the text of putenv changed");
  setenv("OTHER", "x", 1);
  tell("another variable");
  char **place = place_of("OTHER="), *other = *place;
  *place = "HANKO_TIMEOUT_MS=x";
  tell("in the place of another");
  *place = other;
  tell("back in its place");
  setenv("HANKO_CONNECT_TIMEOUT_MS", "x", 1);
  unsetenv("OTHER");
  tell("setenv and unsetenv of another");
  unsetenv("HANKO_CONNECT_TIMEOUT_MS");

  /* A text that is given to putenv may be freed when it is unset, and the next one may have its address and its place. */
  char *given = malloc(64);
  strcpy(given, "OTHER=given");
  putenv(given);
  tell("a text of the program's");
  unsetenv("OTHER");
  strcpy(given, "HANKO_TIMEOUT_MS=x");
  putenv(given);
  tell("another at its address");
  unsetenv("HANKO_TIMEOUT_MS");
  free(given);

  char *array[] = {"A=1", "HANKO_MAX_CONNECTIONS=x", "B=1", NULL}, **before = environ;
  environ = array;
  tell("another array");
  array[1] = NULL;
  tell("cut");
  array[0] = "HANKO_TIMEOUT_MS";
  array[1] = "HANKO_SOMETHING";
  array[2] = "HANKO_";
  tell("entries without a value");
  array[0] = "HANKO_TIMEOUT_MS=x";
  tell("its first place");
  environ = before;
  tell("the old array");
  clearenv();
  tell("clearenv");
  setenv("HANKO_LOG", "x", 1);
  tell("setenv after it");
  environ = NULL;
  tell("none");
  setenv("HANKO_TIMEOUT_MS", "x", 1);
  tell("setenv after none");
  printf("}\n");
  return 0;
}
