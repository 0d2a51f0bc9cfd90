#include "support/history.hpp"

#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "support/process.hpp"

namespace quarq::test {

history_writer::history_writer(const std::string& path)
    : file_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), "history file " + path);
}

history_writer::~history_writer() {
  close(file_);
}

void history_writer::note(std::string_view event, std::uint64_t run, int attempts,
                          std::string_view id) const {
  const auto line = fmt::format("{} {} {} {} {} {}\n", event, now_micros().time_since_epoch().count(),
                                getpid(), run, attempts, id);
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::system_error(errno, std::generic_category(), "write to the history file");
  }
}

history history::read(const std::string& path) {
  history all;
  std::map<std::pair<pid_t, std::uint64_t>, std::size_t> open_runs;
  std::istringstream file(read_file(path));
  std::string line;
  // A reader may see the beginning of a line that is just being written: it has not happened yet.
  while (std::getline(file, line) && !file.eof()) {
    std::istringstream words(line);
    std::string event;
    std::int64_t at = 0;
    job_run run;
    words >> event >> at >> run.pid >> run.number >> run.attempts >> run.id;
    if (!words) throw std::runtime_error("history: not a line of it: " + line);
    const micros when{std::chrono::microseconds(at)};
    const std::pair key(run.pid, run.number);
    if (event == "start") {
      run.started = when;
      open_runs[key] = all.runs_.size();
      all.runs_.push_back(std::move(run));
    } else {
      all.runs_[open_runs.at(key)].ended = when;
      ++all.ended_;
    }
  }
  return all;
}

std::map<std::string, std::vector<const job_run*>, std::less<>> history::by_job() const {
  std::map<std::string, std::vector<const job_run*>, std::less<>> jobs;
  for (const auto& run : runs_) jobs[run.id].push_back(&run);
  return jobs;
}

std::vector<job_run> history::runs_of(std::string_view id) const {
  std::vector<job_run> of_it;
  for (const auto& run : runs_) {
    if (run.id == id) of_it.push_back(run);
  }
  return of_it;
}

std::vector<std::string> history::never_ended(std::span<const std::string> ids) const {
  std::set<std::string_view> done;
  for (const auto& run : runs_) {
    if (run.ended) done.insert(run.id);
  }
  std::vector<std::string> missing;
  for (const auto& id : ids) {
    if (!done.contains(id)) missing.push_back(id);
  }
  return missing;
}

std::vector<std::string> history::run_more_than_once() const {
  std::vector<std::string> ids;
  for (const auto& [id, runs] : by_job()) {
    if (runs.size() > 1) ids.push_back(id);
  }
  return ids;
}

std::vector<std::string> history::repeats_without_a_kill(const std::map<pid_t, micros>& killed) const {
  std::vector<std::string> wrong;
  for (const auto& [id, runs] : by_job()) {
    for (std::size_t i = 1; i < runs.size(); ++i) {
      const auto& earlier = *runs[i - 1];
      const auto kill = killed.find(earlier.pid);
      if (kill != killed.end() && kill->second <= runs[i]->started) continue;
      wrong.push_back(fmt::format("{} ran on {} (try {}) and again on {} (try {}), though {} was {}", id,
                                  earlier.pid, earlier.attempts, runs[i]->pid, runs[i]->attempts, earlier.pid,
                                  kill == killed.end() ? "never killed" : "killed only later"));
    }
  }
  return wrong;
}

micros now_micros() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace quarq::test
