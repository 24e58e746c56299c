// The sets of labels that programs give to their work (`withLabels`), each named by a small number. Buckets
// keep the number.
//
// Thread safety: every method may be called from any thread at any time. They take a lock, so none is called
// at a sample.
//
// Sets are never removed: there are at most `kMostSets`. The caller gives what comes later labels whose
// values are "(other)", of which there are at most `kMostOthers`.

#ifndef MEMPROF_NATIVE_TABLES_LABEL_SETS_H_
#define MEMPROF_NATIVE_TABLES_LABEL_SETS_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace memprof {

// Keys and values by turns, sorted by key.
using LabelSet = std::vector<std::string>;

class LabelSets {
 public:
  static constexpr uint32_t kMostSets = 1000;
  static constexpr uint32_t kMostOthers = 24;

  // Never destroyed.
  static LabelSets* Process();

  // The number of the set, from 1 on; 0 when there are too many. With `others`, the last places are used as
  // well.
  uint32_t Intern(const LabelSet& set, bool others);
  // The set of a number; empty for 0 and for unknown ones.
  LabelSet At(uint32_t number);
  uint32_t Count();

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<LabelSet> sets_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_TABLES_LABEL_SETS_H_
