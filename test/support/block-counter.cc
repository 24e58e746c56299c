// Counts the live blocks of memory in a process, by size. Preload it to count; load it as an addon too to read the counts:
// `blocks()` returns the number of blocks of each size, in steps of 16 bytes.
//
// Needs glibc, and no headers of Node.js: the few functions of Node-API that it calls are declared here.

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

#include <atomic>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

typedef struct napi_env__* napi_env;
typedef struct napi_value__* napi_value;
typedef struct napi_callback_info__* napi_callback_info;
int napi_create_array(napi_env, napi_value*);
int napi_create_int64(napi_env, int64_t, napi_value*);
int napi_set_element(napi_env, napi_value, uint32_t, napi_value);
int napi_create_function(napi_env, const char*, size_t, napi_value (*)(napi_env, napi_callback_info), void*,
                         napi_value*);
int napi_set_named_property(napi_env, napi_value, const char*, napi_value);
}

namespace {

constexpr size_t kStep = 16;
constexpr size_t kSizes = 512;
std::atomic<int64_t> alive[kSizes];

void Count(void* block, int64_t sign) {
  if (block == nullptr) return;
  size_t size = malloc_usable_size(block) / kStep;
  if (size < kSizes) alive[size].fetch_add(sign, std::memory_order_relaxed);
}

void* Counted(void* block) {
  Count(block, 1);
  return block;
}

napi_value Blocks(napi_env env, napi_callback_info) {
  int64_t now[kSizes];
  for (size_t i = 0; i < kSizes; ++i) now[i] = alive[i].load(std::memory_order_relaxed);
  napi_value array;
  napi_create_array(env, &array);
  for (uint32_t i = 0; i < kSizes; ++i) {
    napi_value number;
    napi_create_int64(env, now[i], &number);
    napi_set_element(env, array, i, number);
  }
  return array;
}

}  // namespace

extern "C" {

void* malloc(size_t size) { return Counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return Counted(__libc_calloc(count, size)); }
void* memalign(size_t alignment, size_t size) { return Counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == nullptr && size != 0 ? 12 : 0;
}
void* realloc(void* block, size_t size) {
  Count(block, -1);
  void* moved = __libc_realloc(block, size);
  // Where there is no memory the old block stays.
  Count(moved == nullptr && size != 0 ? block : moved, 1);
  return moved;
}
void free(void* block) {
  Count(block, -1);
  __libc_free(block);
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "blocks", 6, Blocks, nullptr, &function);
  napi_set_named_property(env, exports, "blocks", function);
  return exports;
}
}
