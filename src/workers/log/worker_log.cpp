// quarq's own lines: a verb, then facts as name=value.
#include "workers/log/worker_log.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/json.hpp"
#include "workers/log/arq_worker_log.hpp"

namespace quarq::workers {
namespace {

std::string shown(std::string_view encoded) {
  return shown_by([&] { return to_json(encoded, max_shown); });
}

class own_worker_log final : public worker_log {
 public:
  const char* line_pattern() const noexcept override { return base::own_log_pattern; }

  void serving(const logged_worker& w) const override {
    base::log().info("worker {} serves {} at {}: {} tasks, {} at once", w.name, fmt::join(w.queues, ", "),
                     w.url, w.tasks.size(), w.concurrency);
  }

  void started(const logged_job& job) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    base::log().info("started  task={} id={} try={}/{} waited={} args={}", job.task, job.id, job.attempts,
                     job.max_attempts, base::human_duration(std::max(job.waited, model::milliseconds{0})),
                     shown(job.arguments));
  }

  void left_running(const logged_job& job) const override {
    base::log().warn("returned task={} id={}: it does not stop, and will run again elsewhere", job.task,
                     job.id);
  }

  void aborted_unstarted(const logged_job& job) const override {
    base::log().info("aborted  task={} id={}: it was cancelled before it started", task_of(job), job.id);
  }

  void stopping(const logged_stop& stop) const override {
    if (stop.running == 0 || stop.at_once) return;
    base::log().info("stopping: {} jobs have {} to end", stop.running, base::human_duration(stop.grace));
  }

  void stopped(const logged_stop& stop) const override {
    base::log().info("worker {} stopped: {} jobs done", stop.name, stop.done);
  }

 protected:
  void finished(const logged_job& job, std::optional<std::string_view> result) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    base::log().info("finished task={} id={} took={}{}", task_of(job), job.id, base::human_duration(job.ran),
                     result ? " result=" + shown(*result) : std::string());
  }

  void retried(const logged_job& job, const model::attempt& a, model::milliseconds pause) const override {
    base::log().warn("retried  task={} id={} try={}/{} took={} again_in={} error=\"{}: {}\"", task_of(job),
                     job.id, job.attempts, job.max_attempts, base::human_duration(job.ran),
                     base::human_duration(pause), a.error_type, a.error);
  }

  void returned(const logged_job& job) const override {
    base::log().info("returned task={} id={} took={}: will run again elsewhere", task_of(job), job.id,
                     base::human_duration(job.ran));
  }

  void failed(const logged_job& job, const model::attempt& a, job_state state) const override {
    base::log().error("failed   task={} id={} state={} try={}/{} took={} error=\"{}: {}\"", task_of(job),
                      job.id, to_string(state), job.attempts, job.max_attempts, base::human_duration(job.ran),
                      a.error_type, a.error);
  }

 private:
  static std::string_view task_of(const logged_job& job) { return job.task.empty() ? "?" : job.task; }
};

}  // namespace

void worker_log::ended(const logged_job& job, const model::attempt& a, const model::decision& v,
                       std::optional<std::string_view> result) const {
  switch (v.state) {
    case job_state::succeeded:
      return finished(job, result);
    case job_state::deferred:
      return retried(job, a, v.pause);
    case job_state::queued:
      return returned(job);
    default:
      return failed(job, a, v.state);
  }
}

std::unique_ptr<worker_log> make_worker_log(broker::log_style style) {
  if (style == broker::log_style::arq) return make_arq_worker_log();
  return std::make_unique<own_worker_log>();
}

}  // namespace quarq::workers
