// Where the benchmark of peers notes each execution of a job: bench/peers/ledger.py.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace quarq::bench {

/// Nanoseconds of CLOCK_MONOTONIC, the same for all processes.
std::uint64_t monotonic_ns();

/// The argument of job `number`: 120 bytes that begin with it.
std::string text_of_job(std::size_t number);

/// The ledger in the folder $BENCH_LEDGER. Thread safety: any thread may note.
class peer_ledger {
 public:
  /// Throws std::runtime_error if it can't be mapped.
  peer_ledger();
  /// Notes that the job with this argument runs now.
  void note(std::string_view text);

 private:
  std::span<std::uint8_t> counts_;
  std::span<std::uint64_t> starts_;
};

}  // namespace quarq::bench
