#include <limits>

#include <quarq/detail/handler_in_process.hpp>
#include <quarq/msgpack.hpp>

#include "model/record.hpp"
#include "model/sent_note.hpp"
#include "model/trace_context.hpp"

namespace quarq::detail {

namespace {

constexpr std::size_t fact_count = 11;

std::chrono::sys_time<std::chrono::milliseconds> read_time(decoder& in) {
  const std::chrono::milliseconds since_1970(in.integer());
  return std::chrono::sys_time<std::chrono::milliseconds>(since_1970);
}

}  // namespace

std::string pack_facts(const context& job) {
  std::string packed;
  encoder out(packed);
  out.array(fact_count);
  // As bytes: nothing is to depend on what others take for text.
  out.binary(job.id());
  out.binary(job.task());
  out.binary(job.queue_name());
  out.integer(job.attempt());
  out.integer(job.enqueued_at().time_since_epoch().count());
  out.integer(job.due_at().time_since_epoch().count());
  out.integer(job.losses());
  const auto& facts = model::context_access::facts(job);
  // Of one machine's processes, the monotonic clock is the same.
  facts.deadline ? out.integer(facts.deadline->time_since_epoch().count()) : out.nil();
  out.boolean(facts.passes_deadline);
  out.binary(job.traceparent());
  facts.its_labels ? out.raw(model::encode(*facts.its_labels)) : out.nil();
  return packed;
}

job_facts unpack_facts(std::string_view packed) {
  job_facts facts;
  if (packed.empty()) return facts;
  decoder in(packed, "facts of a job");
  in.array(fact_count);
  facts.id = in.binary();
  facts.task = in.binary();
  facts.queue = in.binary();
  facts.attempts = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
  facts.enqueued_at = read_time(in);
  facts.due_at = read_time(in);
  facts.losses = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
  if (!in.try_nil()) {
    facts.deadline = std::chrono::steady_clock::time_point(std::chrono::steady_clock::duration(in.integer()));
  }
  facts.passes_deadline = in.boolean();
  facts.trace = model::parse_traceparent(in.binary());
  if (!in.try_nil()) facts.its_labels = std::make_shared<const labels>(model::decode_labels(in.raw()));
  in.finish();
  return facts;
}

void notes_to_parent::log(const context&, std::string_view text) {
  if (by_ == nullptr) return;
  for (const auto& note : model::log_notes(text)) by_->send_note(note);
}

void notes_to_parent::progress(const context&, std::uint64_t done, std::uint64_t total) {
  if (by_ != nullptr) by_->send_note(model::progress_note(done, total));
}

}  // namespace quarq::detail
