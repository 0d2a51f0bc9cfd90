#include "workers/attempt_result.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/text.hpp"
#include "codecs/utf8.hpp"

namespace quarq::workers {

using model::attempt;
using model::stop_reason;
using result_kind = model::attempt::result_kind;

namespace {

// Cuts what is kept, and says so.
std::string limited(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  const auto size = text.size();
  text.resize(codecs::cut_at(text, limit));
  text += fmt::format("{} (cut: it had {} bytes)", codecs::ellipsis, size);
  return text;
}

}  // namespace

attempt failed_attempt(result_kind result, std::string type, std::string message) {
  return attempt{result, stop_reason::none, limited(std::move(type), max_error_type),
                 limited(std::move(message), max_error), std::nullopt};
}

attempt classify(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const detail::bad_payload& e) {
    return failed_attempt(result_kind::impossible, "quarq::decode_error", e.what());
  } catch (const permanent_failure& e) {
    return failed_attempt(result_kind::permanent, base::type_name(typeid(e)), e.what());
  } catch (const retry_after& e) {
    auto a = failed_attempt(result_kind::threw, base::type_name(typeid(e)), e.what());
    a.pause = std::clamp(e.delay(), milliseconds{0}, model::max_time);
    return a;
  } catch (const job_failed& e) {
    // A handler that awaited another job passes on what that one threw.
    return failed_attempt(result_kind::threw, e.type(), e.what());
  } catch (const call_failed& e) {
    // What a handler threw in its process.
    if (e.type() == base::type_name(typeid(permanent_failure)))
      return failed_attempt(result_kind::permanent, e.type(), e.what());
    return failed_attempt(result_kind::threw, e.type(), e.what());
  } catch (const std::exception& e) {
    return failed_attempt(result_kind::threw, base::type_name(typeid(e)), e.what());
  } catch (...) {
    auto object = base::describe_thrown_object();
    return failed_attempt(result_kind::threw, std::move(object.type), std::move(object.text));
  }
}

void explain_stop(attempt& a, const running_job& job) {
  a.stopped = job.stopped;
  if (a.result != result_kind::threw) return;
  if (job.stopped == stop_reason::expired) {
    a = expired_attempt(job);
  } else if (job.stopped == stop_reason::timed_out) {
    a.error_type = "quarq::timed_out";
    a.error = fmt::format("{} took longer than its timeout of {}", job.record.task,
                          base::human_duration(job.terms.timeout.value_or(milliseconds{0})));
  } else if (job.stopped == stop_reason::cancelled) {
    a.error_type = "quarq::cancelled";
    a.error =
        fmt::format("{} was cancelled {}", job.record.task, job.begun ? "while it ran" : "before it ran");
  }
}

attempt expired_attempt(const running_job& job) {
  const auto& task = job.record.task;
  const bool is_first = job.claimed.is_first_start();
  return failed_attempt(result_kind::expired, "quarq::job_expired",
                        is_first
                            ? fmt::format("{} expired: no worker started it in time", task)
                            : fmt::format("{} expired before its attempt {}", task, job.claimed.attempts));
}

}  // namespace quarq::workers
