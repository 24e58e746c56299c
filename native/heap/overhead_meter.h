// The CPU time spent in each second of the last minute.
//
// Thread safety: none. Trivially copyable, so that it can be published through a SeqLock.

#ifndef MEMPROF_NATIVE_HEAP_OVERHEAD_METER_H_
#define MEMPROF_NATIVE_HEAP_OVERHEAD_METER_H_

#include <cstdint>

namespace memprof {

struct OverheadMeter {
  static constexpr uint64_t kSeconds = 60;
  static constexpr uint64_t kNsPerSecond = 1'000'000'000;

  void Add(uint64_t now_ns, uint64_t cpu_ns) {
    uint64_t now = now_ns / kNsPerSecond;
    Slot& slot = slots[now % kSeconds];
    if (slot.second != now) slot = {now, 0};
    slot.cpu_ns += cpu_ns;
  }

  uint64_t LastMinute(uint64_t now_ns) const {
    uint64_t now = now_ns / kNsPerSecond;
    uint64_t sum = 0;
    for (const Slot& slot : slots) {
      if (slot.second <= now && slot.second + kSeconds > now) sum += slot.cpu_ns;
    }
    return sum;
  }

  struct Slot {
    uint64_t second = 0;
    uint64_t cpu_ns = 0;
  };
  Slot slots[kSeconds];
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_OVERHEAD_METER_H_
