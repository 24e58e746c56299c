#include "dump/heap_limit_dump.h"

#include <time.h>

#include <atomic>
#include <mutex>
#include <set>

#include "dump/dump_file.h"
#include "encode/frame_text.h"
#include "encode/profile_text.h"

#ifndef _WIN32
#include <sys/resource.h>

#include <cstdlib>

namespace node {
// Not in Node's headers, but so far exported by all versions. It is weak, and so null where it is not
// exported.
[[gnu::weak]] void OOMErrorHandler(const char* location, const v8::OOMDetails& details);
}  // namespace node
#endif

namespace memprof {

namespace {

std::atomic<bool> nodes_handler_hidden{false};
void (*read_facts)(ProfileTextFacts*) = nullptr;

#ifdef _WIN32

constexpr bool kSupported = false;
v8::OOMErrorCallback NodesHandler() { return nullptr; }
enum class Death { kCertain, kUncertain };
void Dump(const std::string&, uint64_t, Death, bool) {}

#else

constexpr bool kSupported = true;

v8::OOMErrorCallback NodesHandler() {
  return nodes_handler_hidden.load(std::memory_order_relaxed) ? nullptr : &node::OOMErrorHandler;
}

// Of the process.
enum class Death { kCertain, kUncertain };

std::atomic<bool> dumping{false};
std::atomic<bool> process_dumped{false};
std::atomic<unsigned> dumps{0};

// Waits for the dump of another thread to end. False when that takes too long.
bool Begin() {
  constexpr int kPatience = 5000;  // milliseconds
  for (int waited = 0; dumping.exchange(true, std::memory_order_acquire); ++waited) {
    if (waited == kPatience) return false;
    timespec millisecond{0, 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  return true;
}

void End() { dumping.store(false, std::memory_order_release); }

void Write(const std::string& directory, uint64_t thread, unsigned number, bool fresh) {
  DumpFile file;
  if (!file.Open(directory, thread, number)) {
    ErrorLine line;
    line.Write("out of heap, and cannot write ");
    WriteEscaped(file.path(), &line);
    line.Write(": ");
    line.WriteError(file.error());
    return;
  }
  ProfileTextFacts facts;
  read_facts(&facts);
  rusage usage{};
#ifdef __APPLE__
  constexpr uint64_t kRssUnit = 1;
#else
  constexpr uint64_t kRssUnit = 1024;
#endif
  if (getrusage(RUSAGE_SELF, &usage) == 0) facts.max_rss = static_cast<uint64_t>(usage.ru_maxrss) * kRssUnit;
  WriteProfileText(*ProfileTables::Process(), facts, HeapLimitDump::kMostBytes, &file);
  bool whole = file.Close();
  ErrorLine line;
  line.Write(whole ? "out of heap, wrote " : "out of heap, and cannot write ");
  WriteEscaped(file.path(), &line);
  if (!fresh) line.Write(", as of the last collection");
  if (whole) return;
  line.Write(": ");
  line.WriteError(file.error());
}

// `fresh`: see `set_update`.
void Dump(const std::string& directory, uint64_t thread, Death death, bool fresh) {
  if (!Begin()) return;
  // The first dump of a dying process has everything, since the tables are those of the process.
  if (!process_dumped.load(std::memory_order_relaxed)) {
    unsigned number = dumps.fetch_add(1, std::memory_order_relaxed) + 1;
    if (death == Death::kCertain) process_dumped.store(true, std::memory_order_relaxed);
    if (death == Death::kCertain || number <= HeapLimitDump::kMostDumps)
      Write(directory, thread, number, fresh);
  }
  End();
}

#endif

// The one of this thread's isolate; null on V8's helper threads, and where no dump is wanted.
thread_local const HeapLimitDump* current = nullptr;
// The directory that was started last, for V8's helper threads.
std::atomic<const std::string*> latest_directory{nullptr};

// Returns a copy that is never freed, one for each directory.
const std::string* Keep(const std::string& directory) {
  static std::mutex mutex;
  static auto* kept = new std::set<std::string>;
  std::lock_guard<std::mutex> lock(mutex);
  return &*kept->insert(directory).first;
}

}  // namespace

void HeapLimitDump::Start(const std::string& directory, uint64_t thread) {
  Stop();
  wanted_ = true;
  if (!kSupported) return;
  directory_ = Keep(directory);
  thread_ = thread;
  latest_directory.store(directory_, std::memory_order_release);
  current = this;
#ifndef _WIN32
  tzset();  // the first call reads a file and allocates memory, which a dump must not
#endif
  if (NodesHandler() != nullptr) {
    isolate_->SetOOMErrorHandler(OnOutOfMemory);
    has_handler_ = true;
  } else if (thread == 0) {
    isolate_->AddNearHeapLimitCallback(OnNearHeapLimit, this);
    has_callback_ = true;
  }
}

void HeapLimitDump::Stop() {
  wanted_ = false;
  if (directory_ == nullptr) return;
#ifndef _WIN32
  if (has_handler_) isolate_->SetOOMErrorHandler(&node::OOMErrorHandler);
#endif
  if (has_callback_) isolate_->RemoveNearHeapLimitCallback(OnNearHeapLimit, 0);
  has_handler_ = has_callback_ = false;
  directory_ = nullptr;
  current = nullptr;
}

void HeapLimitDump::DumpAtEnd() {
  if (directory_ == nullptr || thread_ == 0) return;
  bool fresh = Update();
  Dump(*directory_, thread_, Death::kUncertain, fresh);
}

const char* HeapLimitDump::problem() const {
  if (!kSupported && wanted_) return "not supported on this platform";
  if (directory_ == nullptr || has_handler_ || thread_ == 0) return nullptr;
  return "this Node.js does not export its out-of-memory handler: if V8 ends the whole process because this "
         "worker ran out of heap, no dump is written";
}

void HeapLimitDump::SetFacts(void (*read)(ProfileTextFacts*)) { read_facts = read; }

void HeapLimitDump::HideNodesHandler() { nodes_handler_hidden.store(true, std::memory_order_relaxed); }

void HeapLimitDump::PretendOutOfMemory() {
  if (current == nullptr || !current->has_handler_) return;
  v8::OOMDetails details;
  details.is_heap_oom = true;
  OnOutOfMemory("a test", details);
}

void HeapLimitDump::OnOutOfMemory(const char* location, const v8::OOMDetails& details) {
#ifndef _WIN32
  const HeapLimitDump* own = current;
  const std::string* directory =
      own == nullptr ? latest_directory.load(std::memory_order_acquire) : own->directory_;
  // Where `malloc` failed, it may hold a lock or be broken.
  bool fresh = own == nullptr || !details.is_heap_oom || own->Update();
  Dump(*directory, own == nullptr ? 0 : own->thread_, Death::kCertain, fresh);
  node::OOMErrorHandler(location, details);
  abort();
#endif
}

size_t HeapLimitDump::OnNearHeapLimit(void* data, size_t current_limit, size_t) {
  constexpr size_t kRoomToDie = 32 << 20;
  auto* self = static_cast<HeapLimitDump*>(data);
  bool fresh = self->Update();
  Dump(*self->directory_, self->thread_, Death::kUncertain, fresh);
  self->isolate_->AutomaticallyRestoreInitialHeapLimit();
  self->isolate_->RemoveNearHeapLimitCallback(OnNearHeapLimit, 0);
  self->has_callback_ = false;
  return current_limit + kRoomToDie;
}

}  // namespace memprof
