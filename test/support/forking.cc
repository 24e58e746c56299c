// An addon: `fork(callback, seconds)` forks the process. The child calls the callback, if there is one, frees
// and takes memory, and ends. The result is its exit code, minus the signal that ended it, or null when it
// did not end in time. No headers of Node.js: the few functions of Node-API that it calls are declared here.

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern "C" {
typedef struct napi_env__* napi_env;
typedef struct napi_value__* napi_value;
typedef struct napi_callback_info__* napi_callback_info;
int napi_get_cb_info(napi_env, napi_callback_info, size_t*, napi_value*, napi_value*, void**);
int napi_call_function(napi_env, napi_value, napi_value, size_t, const napi_value*, napi_value*);
int napi_get_value_double(napi_env, napi_value, double*);
int napi_typeof(napi_env, napi_value, int*);
int napi_get_null(napi_env, napi_value*);
int napi_create_int32(napi_env, int32_t, napi_value*);
int napi_create_function(napi_env, const char*, size_t, napi_value (*)(napi_env, napi_callback_info), void*,
                         napi_value*);
int napi_set_named_property(napi_env, napi_value, const char*, napi_value);
}

namespace {

constexpr int kNeverEnded = 1000;

int EndOf(pid_t child, double seconds) {
  for (int waited = 0; waited < seconds * 1000; ++waited) {
    int status;
    if (waitpid(child, &status, WNOHANG) == child) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    timespec millisecond{0, 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return kNeverEnded;
}

napi_value Fork(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_value receiver;
  napi_get_cb_info(env, info, &count, arguments, &receiver, nullptr);
  double seconds = 0;
  napi_get_value_double(env, arguments[1], &seconds);
  int type = 0;
  napi_typeof(env, arguments[0], &type);
  pid_t child = fork();
  if (child == 0) {
    free(malloc(1 << 20));
    constexpr int kFunction = 7;  // napi_function
    bool good =
        type != kFunction || napi_call_function(env, receiver, arguments[0], 0, nullptr, nullptr) == 0;
    _exit(good ? 0 : 1);
  }
  int end = EndOf(child, seconds);
  napi_value result;
  if (end == kNeverEnded) {
    napi_get_null(env, &result);
  } else {
    napi_create_int32(env, end, &result);
  }
  return result;
}

}  // namespace

extern "C" napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "fork", 4, Fork, nullptr, &function);
  napi_set_named_property(env, exports, "fork", function);
  return exports;
}
