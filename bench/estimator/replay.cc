// Replays recorded harvests with most of them left out, and compares what the profiler then says with the truth.
//
// usage: replay FILE INTERVAL; prints one JSON object. The truth is the recording itself, where every GC was harvested.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "heap/harvest.h"
#include "heap/harvest_log.h"

namespace memprof {
namespace {

constexpr int kSeeds = 10;

struct RecordedHarvest {
  uint64_t completed_gcs;
  std::vector<HarvestLogRow> samples;
};

using Split = std::map<Ref, double>;  // estimated bytes by function

std::vector<RecordedHarvest> ReadRecording(const char* path) {
  std::vector<RecordedHarvest> harvests;
  FILE* file = fopen(path, "rb");
  if (file == nullptr) {
    perror(path);
    exit(1);
  }
  HarvestLogRow row;
  while (fread(&row, sizeof(row), 1, file) == 1) {
    if (row.id == 0) {
      harvests.push_back({row.size, {}});
    } else if (!harvests.empty()) {
      harvests.back().samples.push_back(row);
    }
  }
  fclose(file);
  return harvests;
}

double Scale(const Figures& figures, double interval) {
  double average = static_cast<double>(figures.alloc_bytes) / static_cast<double>(figures.alloc_objects);
  return static_cast<double>(figures.alloc_bytes) / (1 - std::exp(-average / interval));
}

// Half the sum of the absolute differences between two splits, each taken as shares: 0 the same, 1 nothing in common.
double Distance(const Split& a, const Split& b) {
  double sum_a = 0, sum_b = 0, distance = 0;
  for (const auto& [key, value] : a) sum_a += value;
  for (const auto& [key, value] : b) sum_b += value;
  Split both = a;
  for (const auto& [key, value] : b) both[key] += 0;
  for (const auto& [key, value] : both) {
    double in_a = a.count(key) ? a.at(key) / sum_a : 0;
    double in_b = b.count(key) ? b.at(key) / sum_b : 0;
    distance += std::fabs(in_a - in_b);
  }
  return distance / 2;
}

struct Replay {
  Split split;
  Split dropped;  // without what was imputed
  uint64_t seen = 0, lost = 0, imputed = 0, counted = 0;
};

// Harvests those with (index % every) == phase, and the last one.
Replay Run(const std::vector<RecordedHarvest>& recording, size_t every, size_t phase, uint64_t seed,
           double interval) {
  ProfileTables tables(ProfileTables::kDefaultLimit);
  Harvest harvest(&tables, seed);
  std::unordered_map<Ref, Ref> stacks;
  std::unordered_map<Ref, Ref> function_of;
  std::unordered_map<Ref, std::map<uint64_t, std::pair<uint64_t, uint64_t>>> seen_sizes;
  std::unordered_set<uint64_t> seen_ids;
  for (size_t i = 0; i < recording.size(); ++i) {
    if (i % every != phase && i + 1 != recording.size()) continue;
    harvest.Begin();
    for (const HarvestLogRow& sample : recording[i].samples) {
      Ref& stack = stacks[sample.leaf_frame];
      if (stack == 0) {
        stack =
            tables.InternStack(0, tables.InternFrame("f", "", static_cast<int32_t>(sample.leaf_frame), 0));
        function_of[stack] = sample.leaf_frame;
      }
      harvest.See(sample.id, sample.node, sample.size, stack);
      if (seen_ids.insert(sample.id).second) {
        auto& [count, bytes] = seen_sizes[sample.leaf_frame][SizeClassOf(sample.size)];
        ++count;
        bytes += sample.size;
      }
    }
    if (!harvest.End(recording[i].completed_gcs)) {
      fprintf(stderr, "the recording does not continue at harvest %zu\n", i);
      exit(1);
    }
  }
  harvest.Forget();
  Replay result;
  tables.ForEachBucket([&](const Bucket& bucket, const Figures& figures) {
    result.split[function_of[bucket.key.stack]] += Scale(figures, interval);
    result.counted += figures.alloc_objects;
  });
  for (const auto& [leaf, classes] : seen_sizes) {
    for (const auto& [size_class, sums] : classes) {
      result.dropped[leaf] += Scale({sums.first, sums.second, 0, 0}, interval);
    }
  }
  result.seen = harvest.counts().seen;
  result.lost = harvest.counts().lost;
  result.imputed = harvest.counts().imputed;
  return result;
}

// What the distance would be if the same number of samples had been taken anew: the noise of sampling itself.
double Noise(const std::vector<RecordedHarvest>& recording, double interval) {
  std::unordered_set<uint64_t> ids;
  std::vector<std::pair<Ref, double>> samples;
  for (const RecordedHarvest& harvest : recording) {
    for (const HarvestLogRow& sample : harvest.samples) {
      if (!ids.insert(sample.id).second) continue;
      double size = static_cast<double>(sample.size);
      samples.push_back({sample.leaf_frame, size / (1 - std::exp(-size / interval))});
    }
  }
  Split truth;
  for (const auto& [leaf, bytes] : samples) truth[leaf] += bytes;
  double sum = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    std::mt19937_64 random(seed);
    std::poisson_distribution<int> times(1);
    Split again;
    for (const auto& [leaf, bytes] : samples) again[leaf] += bytes * times(random);
    sum += Distance(truth, again);
  }
  return sum / kSeeds;
}

int Main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s RECORDING INTERVAL\n", argv[0]);
    return 2;
  }
  double interval = atof(argv[2]);
  std::vector<RecordedHarvest> recording = ReadRecording(argv[1]);
  Replay truth = Run(recording, 1, 0, 1, interval);
  printf("{ \"gcs\": %zu, \"samples\": %lu, \"functions\": %zu, \"lostInRecording\": %lu, \"noise\": %.4f",
         recording.size(), truth.counted, truth.split.size(), truth.lost, Noise(recording, interval));
  for (size_t every : {2, 5}) {
    double distance = 0, dropped = 0, worst = 0;
    uint64_t miscounted = 0, lost = 0;
    int runs = 0;
    for (size_t phase = 0; phase < every; ++phase) {
      for (int seed = 1; seed <= kSeeds; ++seed) {
        Replay replay = Run(recording, every, phase, seed, interval);
        double d = Distance(truth.split, replay.split);
        distance += d;
        worst = std::max(worst, d);
        dropped += Distance(truth.split, replay.dropped);
        lost += replay.lost;
        uint64_t off =
            replay.counted > truth.counted ? replay.counted - truth.counted : truth.counted - replay.counted;
        miscounted = std::max(miscounted, off);
        ++runs;
      }
    }
    printf(
        ", \"every%zu\": { \"distance\": %.4f, \"worst\": %.4f, \"dropped\": %.4f, \"lostShare\": %.3f, "
        "\"miscounted\": %lu }",
        every, distance / runs, worst, dropped / runs,
        static_cast<double>(lost) / runs / static_cast<double>(truth.counted), miscounted);
  }
  printf(" }\n");
  return 0;
}

}  // namespace
}  // namespace memprof

int main(int argc, char** argv) { return memprof::Main(argc, argv); }
