#include "workers/job_report.hpp"

#include <algorithm>

#include <quarq/codec.hpp>
#include <quarq/detail/context_access.hpp>

#include "codecs/utf8.hpp"

namespace quarq::workers {
namespace {

/// In place of a value that holds a secret.
constexpr std::string_view hidden_text = "******";

/// Of a job that will be tried again.
std::string last_error(const std::string& error) {
  return error.substr(0, codecs::cut_at(error, model::max_earlier_error));
}

}  // namespace

model::outcome outcome_of(const running_job& job, std::string_view worker, std::chrono::microseconds ran) {
  model::outcome o;
  o.task = job.record.task;
  o.attempts = job.claimed.attempts;
  o.worker = worker;
  o.enqueued_ms = job.claimed.enqueued_at.time_since_epoch().count();
  o.started_ms = job.started_ms;
  o.finished_ms = job.started_ms + std::chrono::duration_cast<milliseconds>(ran).count();
  if (!job.claimed.last_outcome.empty()) model::add_earlier_attempts(o, job.claimed.last_outcome);
  return o;
}

broker::settlement settlement_of(const running_job& job, const model::attempt& a, const model::decision& d,
                                 std::string result, model::outcome&& o) {
  broker::settlement s;
  s.id = job.claimed.id;
  s.state = d.state;
  s.delay = d.pause;
  if (d.state == job_state::deferred) {
    s.kind = broker::settlement::what::retry;
    o.error_type = a.error_type;
    o.error = last_error(a.error);
    s.outcome = model::encode(o);
    return s;
  }
  if (d.state == job_state::queued) {
    s.kind = broker::settlement::what::hand_back;
    return s;
  }
  s.kind = broker::settlement::what::end;
  s.keep = (d.state == job_state::succeeded ? job.terms.keep_success : job.terms.keep_failure).duration();
  s.keeps_state_only = d.state == job_state::succeeded && job.keeps_state_only;
  if (d.state != job_state::succeeded) s.keep_asked_for = job.terms.keep_asked_for;
  o.result = std::move(result);
  o.error_type = a.error_type;
  o.error = a.error;
  s.outcome = model::encode(o);
  return s;
}

broker::settlement settlement_of(const running_job& job, const admission& ruled, model::outcome&& o) {
  o.after = ruled.after;
  if (ruled.state != job_state::succeeded) {
    o.error_type = ruled.state == job_state::expired ? "quarq::job_expired" : "quarq::cancelled";
    o.error = ruled.why;
  }
  broker::settlement s;
  s.id = job.claimed.id;
  s.state = ruled.state;
  s.keep = job.terms.keep_success.duration();
  s.outcome = model::encode(o);
  return s;
}

job_end end_of(const model::attempt& a, const model::decision& d, std::chrono::microseconds ran) {
  job_end end;
  end.state = d.state;
  end.error_type = a.error_type;
  end.error = a.error;
  end.ran = ran;
  return end;
}

broker::logged_job logged(const running_job& job, bool is_cron, std::chrono::microseconds ran) {
  const auto start = broker::time_point(milliseconds(job.started_ms));
  broker::logged_job l;
  l.id = job.printable_id.empty() ? job.claimed.id : job.printable_id;
  l.task = job.printable_task.empty() ? job.record.task : job.printable_task;
  l.queue = job.from.served.name;
  l.is_cron = is_cron;
  l.attempts = job.claimed.attempts;
  l.max_attempts = job.terms.retry.max_attempts();
  l.age = start - job.claimed.enqueued_at;
  l.waited = start - job.claimed.due_at;
  l.ran = ran;
  l.trace = model::context_access::facts(job.ctx).trace;
  l.arguments = job.printable_arguments.empty() ? std::string_view(job.record.arguments)
                                                : std::string_view(job.printable_arguments);
  l.by_position = job.by_position;
  if (job.how) l.names = job.how->parameter_names;
  return l;
}

std::string without_secrets(const detail::handler& how, std::string_view arguments) {
  const auto& hidden = how.secret_parameters;
  std::string shown;
  if (std::find(hidden.begin(), hidden.end(), true) == hidden.end()) return shown;
  encoder out(shown);
  try {
    decoder in(arguments, "arguments");
    const std::size_t count = in.array();
    out.array(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto one = in.raw();
      if (i < hidden.size() && hidden[i]) {
        out.text(hidden_text);
      } else {
        out.raw(one);
      }
    }
  } catch (const decode_error&) {
    shown = to_msgpack(std::string(hidden_text));
  }
  return shown;
}

std::string_view printable_result(const running_job& job, std::string_view result) {
  static const std::string nothing = to_msgpack(std::string(hidden_text));
  return job.how && job.how->has_secret_result ? std::string_view(nothing) : result;
}

}  // namespace quarq::workers
