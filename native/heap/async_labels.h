// Reads the labels of the asynchronous context that is running: the store of one AsyncLocalStorage, a small
// integer that names a set of labels.
//
// Thread safety: none; belongs to the isolate's thread. `Current` allocates nothing on V8's heap and runs no
// JavaScript, so it may be called at a sample.
//
// Where Node.js keeps its asynchronous contexts in V8's continuation data (AsyncContextFrame: Node.js 24 and
// 26, and 22 by flag), the data is a JavaScript Map from storages to stores. V8 offers no way to look into a
// Map without running JavaScript, so it is read in place: V8's private memory, see `Start`.
//
// Invariants:
// (1) No Map is read before `Start` has read one whose content it knows, with reads that cannot fault.
// (2) Whatever does not look like that Map did counts as "no labels".

#ifndef MEMPROF_NATIVE_HEAP_ASYNC_LABELS_H_
#define MEMPROF_NATIVE_HEAP_ASYNC_LABELS_H_

#include <v8.h>

#include <cstdint>

namespace memprof {

class AsyncLabels {
 public:
  explicit AsyncLabels(v8::Isolate* isolate) : isolate_(isolate) {}
  AsyncLabels(const AsyncLabels&) = delete;
  AsyncLabels& operator=(const AsyncLabels&) = delete;

  // From here on labels are the stores of `storage`, whose store in the running context is `store`. Returns
  // why they cannot be read, or `nullptr`. May be called again, for each further proof; a failed one is
  // final.
  const char* Start(v8::Local<v8::Object> storage, int32_t store);
  // The store of the running context; 0 if there is none, or if it is not an integer above 0.
  uint32_t Current() const { return proved_ ? Read() : 0; }

  bool proved() const { return proved_; }
  // Why labels cannot be read; `nullptr` if they can, or if nobody tried.
  const char* problem() const { return problem_; }

 private:
  uint32_t Read() const;

  v8::Isolate* const isolate_;
  v8::Global<v8::Object> storage_;
  bool proved_ = false;
  const char* problem_ = nullptr;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_ASYNC_LABELS_H_
