#include "cli/worker_info.hpp"

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

namespace quarq::cli {

namespace {

void read_entry(decoder& in, worker_info& into) {
  const std::string_view key = in.text();
  if (key == "worker") {
    into.worker = in.text();
  } else if (key == "done") {
    into.done = in.unsigned_integer();
  } else if (key == "concurrency") {
    into.concurrency = in.unsigned_integer();
  } else {
    in.skip();
  }
}

}  // namespace

worker_info read_worker_info(std::string_view encoded) {
  worker_info read;
  try {
    decoder in(encoded, "worker info");
    const std::size_t count = in.map();
    for (std::size_t i = 0; i < count; ++i) read_entry(in, read);
  } catch (const decode_error&) {
    // Shown are the entries before the error.
  }
  return read;
}

worker_names names_of(const std::vector<broker::worker_summary>& workers) {
  worker_names names;
  for (const auto& w : workers) {
    const auto info = read_worker_info(w.worker_info);
    if (!info.worker.empty()) names.emplace(w.token, info.worker);
  }
  return names;
}

}  // namespace quarq::cli
