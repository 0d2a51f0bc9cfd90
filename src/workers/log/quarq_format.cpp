#include "workers/log/quarq_format.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/json.hpp"
#include "workers/log/printable_job.hpp"

namespace quarq::workers {
namespace {

using broker::logged_error;
using broker::logged_job;
using broker::logged_stop;
using broker::logged_worker;
using std::chrono::milliseconds;

class own_format final : public broker::worker_log_format {
 public:
  const char* line_pattern() const noexcept override { return base::own_log_pattern; }

  void serving(const logged_worker& w) const override {
    base::log().info("worker {} serves {} at {}: {} at once; it handles {}", w.name,
                     fmt::join(w.queues, ", "), w.url, w.concurrency, base::listed(w.tasks));
  }

  void started(const logged_job& job) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    base::log().info("started  task={} id={} try={}/{} waited={} args={}", job.task, job.id, job.attempts,
                     job.max_attempts, base::human_duration(std::max(job.waited, milliseconds{0})),
                     shown_json(job.arguments));
  }

  void left_running(const logged_job& job) const override {
    base::log().warn("returned task={} id={}: it does not stop, and will run again elsewhere", job.task,
                     job.id);
  }

  void aborted_unstarted(const logged_job& job) const override {
    base::log().info("aborted  task={} id={}: it was cancelled before it started", task_of(job), job.id);
  }

  void stopping(const logged_stop& stop) const override {
    if (stop.running == 0 || stop.immediately) return;
    base::log().info("stopping: {} jobs have {} to end", stop.running, base::human_duration(stop.timeout));
  }

  void stopped(const logged_stop& stop) const override {
    base::log().info("worker {} stopped: {} jobs done", stop.name, stop.done);
  }

  void finished(const logged_job& job, std::optional<std::string_view> result) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    base::log().info("finished task={} id={} took={}{}", task_of(job), job.id, base::human_duration(job.ran),
                     result ? " result=" + shown_json(*result) : std::string());
  }

  void retried(const logged_job& job, const logged_error& error, milliseconds pause) const override {
    base::log().warn("retried  task={} id={} try={}/{} took={} again_in={} error=\"{}: {}\"", task_of(job),
                     job.id, job.attempts, job.max_attempts, base::human_duration(job.ran),
                     base::human_duration(pause), error.type, error.message);
  }

  void handed_back(const logged_job& job) const override {
    base::log().info("returned task={} id={} took={}: will run again elsewhere", task_of(job), job.id,
                     base::human_duration(job.ran));
  }

  void failed(const logged_job& job, const logged_error& error, job_state state) const override {
    base::log().error("failed   task={} id={} state={} try={}/{} took={} error=\"{}: {}\"", task_of(job),
                      job.id, to_string(state), job.attempts, job.max_attempts, base::human_duration(job.ran),
                      error.type, error.message);
  }

 private:
  static std::string_view task_of(const logged_job& job) { return job.task.empty() ? "?" : job.task; }
};

}  // namespace

const broker::worker_log_format& quarq_format() {
  static const own_format only;
  return only;
}

}  // namespace quarq::workers
