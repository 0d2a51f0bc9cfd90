// libFuzzer's entry to the payloads of arq: ./dev fuzz
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/errors.hpp>

#include "broker/arq/payload/payloads.hpp"
#include "fuzz/pickle_input.hpp"
#include "model/argument_binding.hpp"
#include "model/record.hpp"

namespace quarq::fuzz {
namespace {

using broker::arq::arq_codec;
using broker::arq::arq_payloads;

/// A job that was read is written, and then reads the same; unless it holds what the codec can't.
void try_job(arq_codec codec, const std::string& payload) {
  arq_payloads payloads(codec);
  broker::arq::arq_job_in job;
  try {
    job = payloads.read_job(payload);
  } catch (const decode_error&) {
    return;
  }
  std::string again;
  try {
    again = payloads.write_job({job.record, job.enqueued_ms, job.try_at_least, job.expires_at_ms});
  } catch (const usage_error&) {
    return;
  }
  const auto back = payloads.read_job(again);
  require_of_pickle(back.enqueued_ms == job.enqueued_ms && back.try_at_least == job.try_at_least,
                    "what was written is read as it was");
  if (codec == arq_codec::msgpack)
    require_of_pickle(back.record == job.record, "what was written is read as it was");
  try {
    const auto record = model::decode_record(job.record);
    const std::string names[] = {"a", "b", "c"};
    if (!record.keywords.empty()) model::bind_arguments(record, {3, names});
  } catch (const decode_error&) {
  }
}

void try_end(arq_codec codec, const std::string& payload) {
  arq_payloads payloads(codec);
  broker::arq::arq_end_in end;
  try {
    end = payloads.read_end(payload);
  } catch (const decode_error&) {
    return;
  }
  require_of_pickle(is_final(end.state), "what has ended is in a final state");
  try {
    const auto again = payloads.write_end({{}, end.outcome, end.state, end.queue, end.id});
    const auto back = payloads.read_end(again);
    require_of_pickle(back.state == end.state, "what was written ended as it was read");
    model::decode_outcome(back.outcome);
  } catch (const usage_error&) {
  } catch (const decode_error&) {
    // The fields of the outcome that arq does not have may be anything.
  }
}

}  // namespace
}  // namespace quarq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An allocation of its own, so that a sanitizer sees where it ends.
  const std::string payload(reinterpret_cast<const char*>(data), size);
  for (const auto codec : {quarq::broker::arq::arq_codec::pickle, quarq::broker::arq::arq_codec::msgpack}) {
    quarq::fuzz::try_job(codec, payload);
    quarq::fuzz::try_end(codec, payload);
  }
  return 0;
}
