#include "broker/arq/payload/errors.hpp"

#include <optional>

#include <quarq/msgpack.hpp>

#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"
#include "codecs/python/pickle_names.hpp"
#include "codecs/utf8.hpp"

namespace quarq::broker::arq {
namespace {

constexpr std::string_view detected_by_worker = "arq.worker.JobExecutionFailed";

/// As Python's repr() shows a function's name.
std::string in_quotes(std::string_view name) {
  const char mark = name.find('\'') != name.npos && name.find('"') == name.npos ? '"' : '\'';
  return mark + std::string(name) + mark;
}

/// The word after `before` in the worker's message about a job that is dead of `type`. A handler may have thrown an
/// error of that type, too, with other words.
std::optional<std::string_view> word_after(std::string_view before, const failed_job& job,
                                           std::string_view type) {
  const auto at = job.message.find(before);
  if (job.type != type || job.state != job_state::dead || at == job.message.npos) return std::nullopt;
  const auto rest = job.message.substr(at + before.size());
  return rest.substr(0, rest.find(' '));
}

/// How many starts this worker allows, of a job that is given up before another.
std::optional<std::string> starts_allowed(const failed_job& job) {
  const auto lost = word_after(" was lost with its worker ", job, "quarq::worker_lost");
  if (lost) return std::string(*lost == "once" ? "1" : *lost == "twice" ? "2" : *lost);
  const auto allowed = word_after(" before, and at most ", job, "quarq::retries_exhausted");
  return allowed ? std::optional<std::string>(*allowed) : std::nullopt;
}

our_error detected(std::string_view message) {
  our_error e{job_state::failed, std::string(detected_by_worker), std::string(message)};
  if (message == "job expired") {
    e.state = job_state::expired;
    e.type = "quarq::job_expired";
  } else if (message.starts_with("function ") && message.ends_with(" not found")) {
    e.state = job_state::dead;
    e.type = "quarq::unknown_task";
  } else if (message.starts_with("max ") && message.ends_with(" retries exceeded")) {
    e.state = job_state::dead;
  }
  return e;
}

}  // namespace

std::string python_error::as_text() const {
  const auto known = codecs::python::exception_for(type);
  std::string text = codecs::to_utf8(known.name.empty() ? std::string_view(type) : known.name);
  if (!text.empty() && !message.empty()) text += ": ";
  return text + codecs::to_utf8(message);
}

python_error python_error_of(const failed_job& job) {
  if (job.state == job_state::cancelled) return {"quarq::cancelled", std::string(job.message)};
  if (job.state == job_state::expired) return {std::string(detected_by_worker), "job expired"};
  if (job.type == "quarq::unknown_task")
    return {std::string(detected_by_worker), "function " + in_quotes(job.task) + " not found"};
  if (const auto times = starts_allowed(job))
    return {std::string(detected_by_worker), "max " + *times + " retries exceeded"};
  if (job.type == "quarq::retry_after")
    return {std::string(detected_by_worker), "max " + std::to_string(job.attempts) + " retries exceeded"};
  if (!job.readable && job.type == "quarq::decode_error")
    return {"arq.jobs.DeserializationError", "unable to deserialize job: " + std::string(job.message)};
  return {std::string(job.type), std::string(job.message)};
}

our_error our_error_of(std::string_view result, std::string_view task) {
  const auto raised = codecs::python::read_python_exception(result);
  if (!raised) {
    decoder in(result, "result payload");
    const bool is_text = in.peek() == value_type::text;
    return {job_state::failed, "arq.jobs.SerializationError",
            is_text ? std::string(in.text()) : codecs::to_json(result)};
  }
  const std::string& type = raised->type;
  const auto dot = type.rfind('.');
  const std::string_view name = std::string_view(type).substr(dot == type.npos ? 0 : dot + 1);
  if (type == "asyncio.exceptions.CancelledError" || type == "concurrent.futures._base.CancelledError")
    return {job_state::cancelled, "quarq::cancelled", raised->message};
  // So arq ends a job that took too long. With a message it is the function's own, of a socket for example.
  if (name == "TimeoutError" && raised->message.empty())
    return {job_state::failed, "quarq::timed_out", std::string(task) + " timed out"};
  if (type == "arq.jobs.DeserializationError")
    return {job_state::dead, "quarq::decode_error", raised->message};
  if (type == detected_by_worker) return detected(raised->message);
  return {job_state::failed, type, raised->message.empty() ? std::string(name) + "()" : raised->message};
}

}  // namespace quarq::broker::arq
