#include "heap/call_paths.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "base/sample_code.h"

namespace memprof {

// The terms do not depend on each other, so the processor computes several at a time.
MEMPROF_SAMPLE_CODE uint64_t CallPaths::SumOf(std::span<const uint32_t> functions) {
  uint64_t sum = 0;
  for (size_t i = 0; i < functions.size(); ++i) sum += TermOf(functions.size() - 1 - i, functions[i]);
  return sum;
}

MEMPROF_SAMPLE_CODE uint32_t CallPaths::Intern(std::span<const uint32_t> functions) {
  if ((used_ + 1) * 2 > index_.size()) Grow();
  uint64_t sum = SumOf(functions);
  Prefetch(&index_[sum & mask_]);
  uint32_t path = Find(sum, functions.size());
  if (path == 0) path = Add(functions, sum);
  if (path == 0) return 0;
  before_.assign(functions.begin(), functions.end());
  path_before_ = path;
  return path;
}

MEMPROF_SAMPLE_CODE uint32_t CallPaths::Find(uint64_t sum, size_t count) const {
  for (size_t at = sum & mask_;; at = (at + 1) & mask_) {
    const Slot& slot = index_[at];
    if (slot.path == 0) return 0;
    if (slot.tag != sum >> 32) continue;
    const Path& path = At(slot.path);
    if (path.sum == sum && path.count == count) return slot.path;
  }
}

MEMPROF_SAMPLE_CODE uint32_t CallPaths::Add(std::span<const uint32_t> functions, uint64_t sum) {
  if (used_ == chunk_count_ * kChunk) {
    if (chunk_count_ == kMostChunks) return 0;
    chunks_[chunk_count_++] = std::make_unique<Path[]>(kChunk);
  }
  if (!MakeRoomFor(functions.size())) return 0;
  auto number = static_cast<uint32_t>(++used_);
  Path& path = At(number);
  path.sum = sum;
  path.count = static_cast<uint32_t>(functions.size());
  if (path_before_ != 0 && At(path_before_).bases < kMostBases) {
    auto [here, there] =
        std::mismatch(functions.rbegin(), functions.rend() - 1, before_.rbegin(), before_.rend());
    path.shared = static_cast<uint32_t>(here - functions.rbegin());
  }
  if (path.shared != 0) {
    path.base = path_before_;
    path.bases = At(path_before_).bases + 1;
  }
  path.added = static_cast<uint32_t>(added_used_);
  added_used_ += path.count - path.shared;
  std::copy(functions.rbegin() + path.shared, functions.rend(),
            added_[path.added / kAddedChunk].get() + path.added % kAddedChunk);
  Index(number, sum);
  return number;
}

// So many functions then fit into one chunk at `added_used_`.
MEMPROF_SAMPLE_CODE bool CallPaths::MakeRoomFor(size_t count) {
  size_t left = added_count_ * kAddedChunk - added_used_;
  if (left >= count) return true;
  if (added_count_ == kMostAddedChunks) return false;
  added_used_ += left;
  added_[added_count_++] = std::make_unique<uint32_t[]>(kAddedChunk);
  return true;
}

std::vector<uint32_t> CallPaths::FunctionsOf(uint32_t number) const {
  size_t left = At(number).count;
  std::vector<uint32_t> functions(left);
  for (;; number = At(number).base) {
    const Path& path = At(number);
    if (left > path.shared) {
      std::copy_n(AddedBy(path).begin(), left - path.shared, functions.begin() + path.shared);
      left = path.shared;
    }
    if (left == 0) return functions;
  }
}

MEMPROF_SAMPLE_CODE void CallPaths::Index(uint32_t path, uint64_t sum) {
  size_t at = sum & mask_;
  while (index_[at].path != 0) at = (at + 1) & mask_;
  index_[at] = {static_cast<uint32_t>(sum >> 32), path};
}

void CallPaths::Grow() {
  size_t slots = std::max(kSmallestIndex, std::bit_ceil((used_ + 1) * 4));
  index_.assign(slots, {});
  mask_ = slots - 1;
  for (uint32_t path = 1; path <= used_; ++path) Index(path, At(path).sum);
}

}  // namespace memprof
