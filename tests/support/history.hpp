// What the jobs of a test have done, written by themselves: one line for each start and each end of a try,
// appended to a file by a single write, so that it is there whatever happens to its writer next.
//
//     start 1700000000123456 4711 9 2 job-id
//     end   1700000000125000 4711 9 2 job-id
//
// event, microseconds of Unix time, process id of the worker, number of the run in that process, the job's
// try, its id.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace quarq::test {

using micros = std::chrono::sys_time<std::chrono::microseconds>;

/// The writing side, in a worker.
class history_writer {
 public:
  /// Throws std::system_error if the file can't be opened.
  explicit history_writer(const std::string& path);
  ~history_writer();
  history_writer(const history_writer&) = delete;
  history_writer& operator=(const history_writer&) = delete;

  /// Thread-safe.
  void note(std::string_view event, std::uint64_t run, int attempts, std::string_view id) const;

 private:
  int file_;
};

/// One try of a job.
struct job_run {
  std::string id;
  pid_t pid = 0;
  std::uint64_t number = 0;  ///< which of the runs of this process
  int attempts = 0;
  micros started{};
  std::optional<micros> ended;
};

/// The reading side, in a test.
class history {
 public:
  /// What the file says now; empty if it is not there.
  static history read(const std::string& path);

  /// In the order of their starts.
  const std::vector<job_run>& runs() const noexcept { return runs_; }
  std::vector<job_run> runs_of(std::string_view id) const;
  std::size_t ended_runs() const noexcept { return ended_; }

  /// Those of `ids` that no run has ended.
  std::vector<std::string> never_ended(std::span<const std::string> ids) const;
  std::vector<std::string> run_more_than_once() const;

  /// A sentence for each job that ran again although the worker of its earlier run was not killed, or before
  /// it was. `killed` says when the test killed which process.
  std::vector<std::string> repeats_without_a_kill(const std::map<pid_t, micros>& killed) const;

 private:
  std::map<std::string, std::vector<const job_run*>, std::less<>> by_job() const;

  std::vector<job_run> runs_;
  std::size_t ended_ = 0;
};

micros now_micros();

}  // namespace quarq::test
