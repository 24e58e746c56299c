#include "heap/imputer.h"

#include <algorithm>

#include "base/hash.h"

namespace memprof {

namespace {

// Where nothing is known of an object but that it was sampled, any small size makes its bytes come out right
// in expectation: a sampled object stands for size / (1 - exp(-size / interval)) bytes, which is close to the
// interval.
constexpr uint64_t kUnknownSize = 64;

}  // namespace

Imputer::Imputer(ProfileTables* tables, uint64_t seed)
    : tables_(tables), random_(seed != 0 ? seed : reinterpret_cast<uintptr_t>(this)) {}

uint64_t Imputer::Random() { return Mix(random_ += 0x9e3779b97f4a7c15u); }

void Imputer::Give(uint64_t lost, std::span<const Donor> donors) {
  if (lost == 0) return;
  size_t at = Random() % donors.size();
  for (uint64_t i = 0; i < lost; ++i) {
    const Donor& donor = donors[at];
    Bucket* bucket = tables_->BucketAt(donor.bucket);
    bucket->AddAlloc(1, donor.size);
    bucket->AddFree(1, donor.size);
    if (++at == donors.size()) at = 0;
  }
  imputed_ += lost;
  waiting_ -= lost;
}

void Imputer::NextStretch(uint64_t lost, std::span<const Donor> gone) {
  if (waiting_ != 0 && !(before_.empty() && gone.empty())) {
    uint64_t to_before = gone.empty() ? waiting_ : before_.empty() ? 0 : (waiting_ + (Random() & 1)) / 2;
    uint64_t to_gone = waiting_ - to_before;
    Give(to_before, before_);
    Give(to_gone, gone);
  }
  waiting_ += lost;
  if (gone.size() >= kPool) {
    before_.assign(gone.begin(), gone.end());
  } else if (!gone.empty()) {
    scratch_.assign(gone.begin(), gone.end());
    size_t kept = std::min(before_.size(), kPool - gone.size());
    scratch_.insert(scratch_.end(), before_.begin(), before_.begin() + kept);
    before_.swap(scratch_);
  }
}

void Imputer::Flush() {
  if (waiting_ == 0) return;
  if (!before_.empty()) return Give(waiting_, before_);
  Bucket* bucket = tables_->BucketAt(tables_->BucketFor(tables_->not_attributed_stack(), kUnknownSize));
  bucket->AddAlloc(waiting_, waiting_ * kUnknownSize);
  bucket->AddFree(waiting_, waiting_ * kUnknownSize);
  imputed_ += waiting_;
  waiting_ = 0;
}

void Imputer::Clear() {
  before_.clear();
  waiting_ = 0;
}

}  // namespace memprof
