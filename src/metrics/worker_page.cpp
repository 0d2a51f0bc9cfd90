#include "metrics/worker_page.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace quarq::metrics {

namespace {

using kind = openmetrics_text::kind;

constexpr std::size_t part = 64 * 1024;

// Of tasks that are not handled here: anybody may enqueue any name, and labels must not become many.
constexpr std::string_view other_tasks = "other";

struct end_count {
  std::string_view name;
  std::uint64_t task_stats::* number;
};
constexpr end_count ends[] = {{"succeeded", &task_stats::succeeded}, {"failed", &task_stats::failed},
                              {"dead", &task_stats::dead},           {"cancelled", &task_stats::cancelled},
                              {"expired", &task_stats::expired},     {"retried", &task_stats::retried}};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  if (!(in >> all >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Field 22 of /proc/self/stat counts from the machine's start, which btime of /proc/stat tells.
std::optional<double> started_at() {
  std::ifstream of_process("/proc/self/stat"), of_machine("/proc/stat");
  std::string line;
  std::getline(of_process, line);
  const auto name_end = line.rfind(')');
  if (name_end == line.npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  std::string word;
  constexpr int start_time = 20;  // behind the name
  for (int i = 0; i < start_time; ++i) rest >> word;
  double booted = -1;
  while (std::getline(of_machine, line)) {
    if (line.starts_with("btime ")) booted = std::stod(line.substr(6));
  }
  if (!rest || booted < 0) return std::nullopt;
  return booted + std::stod(word) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t open_descriptors() {
  std::error_code failed;
  const std::filesystem::directory_iterator all("/proc/self/fd", failed);
  const auto count = std::distance(begin(all), end(all));
  return count > 0 ? static_cast<std::uint64_t>(count - 1) : 0;  // one reads the folder
}

class worker_page {
 public:
  worker_page(const workers::observed_worker& of, http::body_writer& out) : of_(of), out_(out) {}
  awaitable<void> write();

 private:
  void add_worker();
  awaitable<void> add_started();
  awaitable<void> add_ended();
  awaitable<void> add_waited();
  awaitable<void> add_ran();
  awaitable<void> flush(std::size_t from) {
    if (page_.size() < from) co_return;
    const auto text = page_.take();
    co_await out_.write(text);
  }
  labels of_task(const std::string& queue, const std::string& task) const {
    return labels{{"queue", queue}, {"task", task.empty() ? other_tasks : std::string_view(task)}};
  }

  const workers::observed_worker& of_;
  http::body_writer& out_;
  openmetrics_text page_;
};

void worker_page::add_worker() {
  const auto now = of_.state();
  page_.family("quarq_worker", kind::info, "The worker and its version.");
  page_.info(labels{{"worker", of_.name}, {"version", QUARQ_VERSION}});
  page_.family("quarq_worker_ready", kind::gauge, "Whether the worker takes jobs.");
  page_.sample({}, std::uint64_t{now.not_ready.empty()});
  page_.family("quarq_worker_jobs_running", kind::gauge, "Jobs under way in this worker.");
  page_.sample({}, std::uint64_t{now.running});
  page_.family("quarq_worker_jobs_waiting", kind::gauge, "Of those, jobs that wait for other jobs.");
  page_.sample({}, std::uint64_t{now.waiting});
  page_.family("quarq_worker_concurrency", kind::gauge, "How many jobs may run here at once.");
  page_.sample({}, std::uint64_t{now.concurrency});
  page_.family("quarq_worker_ends_unrecorded", kind::gauge,
               "Ends of attempts that the broker has not confirmed.");
  page_.sample({}, std::uint64_t{now.unrecorded});
  page_.family("quarq_worker_lease_left_seconds", kind::gauge,
               "For how long the worker is sure to keep its jobs without another answer of the broker.",
               "seconds");
  page_.sample({}, std::chrono::duration<double>(now.lease_left).count());
  page_.family("quarq_worker_leases_lost", kind::counter,
               "Leases of queues that ran out, whose jobs were given to other workers.");
  page_.counter({}, now.leases_lost);
  if (!now.spans) return;
  page_.family("quarq_spans_exported", kind::counter, "Spans of traces that their receiver has taken.");
  page_.counter({}, now.spans->exported);
  page_.family("quarq_spans_dropped", kind::counter,
               "Spans of traces that were lost: too many waited, or their receiver did not take them.");
  page_.counter({}, now.spans->dropped);
}

awaitable<void> worker_page::add_started() {
  page_.family("quarq_attempts_started", kind::counter, "Attempts of jobs that have begun.");
  for (const auto& queue : of_.jobs->all()) {
    for (const auto& task : queue.tasks) {
      if (task.total.started > 0) page_.counter(of_task(queue.queue, task.task), task.total.started);
    }
    co_await flush(part);
  }
}

awaitable<void> worker_page::add_ended() {
  page_.family("quarq_attempts_ended", kind::counter,
               "Attempts of jobs that have ended, by what became of the job.");
  for (const auto& queue : of_.jobs->all()) {
    for (const auto& task : queue.tasks) {
      for (const auto& [name, number] : ends) {
        if (task.total.*number == 0) continue;
        auto whose = of_task(queue.queue, task.task);
        whose.add("outcome", name);
        page_.counter(whose, task.total.*number);
      }
    }
    co_await flush(part);
  }
}

awaitable<void> worker_page::add_waited() {
  page_.family("quarq_job_wait_seconds", kind::histogram,
               "From when a job was due to the start of its first attempt.", "seconds");
  for (const auto& queue : of_.jobs->all()) {
    duration_histogram waited;
    for (const auto& task : queue.tasks) waited.add(task.total.waited);
    page_.histogram(labels{{"queue", queue.queue}}, waited);
    co_await flush(part);
  }
}

awaitable<void> worker_page::add_ran() {
  page_.family("quarq_attempt_run_seconds", kind::histogram, "How long attempts of jobs took.", "seconds");
  for (const auto& queue : of_.jobs->all()) {
    // Others may begin while a part is on its way.
    const auto known = queue.tasks.size();
    for (std::size_t i = 0; i < known; ++i) {
      const auto& task = queue.tasks[i];
      if (task.total.started > 0) page_.histogram(of_task(queue.queue, task.task), task.total.ran);
      co_await flush(part);
    }
  }
}

awaitable<void> worker_page::write() {
  add_worker();
  add_process(page_);
  co_await add_started();
  co_await add_ended();
  co_await add_waited();
  co_await add_ran();
  page_.end();
  co_await flush(0);
}

}  // namespace

void add_process(openmetrics_text& page) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  page.family("process_cpu_seconds", kind::counter, "User and system time of the process.", "seconds");
  page.counter({}, seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
  if (const auto bytes = resident_bytes()) {
    page.family("process_resident_memory_bytes", kind::gauge, "Memory of the process.", "bytes");
    page.sample({}, *bytes);
  }
  page.family("process_open_fds", kind::gauge, "Open file descriptors.");
  page.sample({}, open_descriptors());
  static const auto began = started_at();
  if (began) {
    page.family("process_start_time_seconds", kind::gauge, "When the process began, as Unix time.",
                "seconds");
    page.sample({}, *began);
  }
}

awaitable<void> write_worker_page(const workers::observed_worker& of, http::body_writer& out) {
  worker_page page(of, out);
  co_await page.write();
}

}  // namespace quarq::metrics
