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
std::string quoted(std::string_view name) {
  const char mark = name.find('\'') != name.npos && name.find('"') == name.npos ? '"' : '\'';
  return mark + std::string(name) + mark;
}

/// How often it was lost with its worker. Told by the words of the worker, since a handler may have lost a
/// process of its own as well.
std::optional<std::string> times_lost(const failed_job& job) {
  constexpr std::string_view words = " was lost with its worker ", each = "on each of its ";
  const auto at = job.message.find(words);
  if (job.type != "quarq::worker_lost" || job.state != job_state::dead || at == job.message.npos)
    return std::nullopt;
  auto rest = job.message.substr(at + words.size());
  if (rest.starts_with(each)) rest.remove_prefix(each.size());
  if (rest == "once") return "1";
  if (rest == "twice") return "2";
  return std::string(rest.substr(0, rest.find(' ')));
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
    return {std::string(detected_by_worker), "function " + quoted(job.task) + " not found"};
  if (const auto times = times_lost(job))
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
  // So arq ends what took too long. With a message it is the function's own, of a socket for example.
  if (name == "TimeoutError" && raised->message.empty())
    return {job_state::failed, "quarq::timed_out", std::string(task) + " timed out"};
  if (type == "arq.jobs.DeserializationError")
    return {job_state::dead, "quarq::decode_error", raised->message};
  if (type == detected_by_worker) return detected(raised->message);
  return {job_state::failed, type, raised->message.empty() ? std::string(name) + "()" : raised->message};
}

}  // namespace quarq::broker::arq
