#include "clients/worker_info.hpp"

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

namespace quarq::clients {

namespace {

job_wait_info read_wait(decoder& in) {
  job_wait_info read;
  in.array(3);
  read.id = in.text();
  read.awaited = in.text();
  read.more = in.unsigned_integer();
  return read;
}

void read_entry(decoder& in, worker_info& into) {
  const std::string_view key = in.text();
  if (key == "worker") {
    into.worker = in.text();
  } else if (key == "done") {
    into.done = in.unsigned_integer();
  } else if (key == "concurrency") {
    into.concurrency = in.unsigned_integer();
  } else if (key == "waiting") {
    into.waiting = in.unsigned_integer();
  } else if (key == "waits") {
    const std::size_t count = in.array();
    for (std::size_t i = 0; i < count; ++i) into.waits.push_back(read_wait(in));
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

std::string awaited_by(const std::string& id, const std::vector<broker::worker_summary>& workers) {
  for (const auto& w : workers) {
    for (const auto& wait : read_worker_info(w.worker_info).waits) {
      if (wait.id != id) continue;
      return wait.more == 0 ? wait.awaited : fmt::format("{} and {} more", wait.awaited, wait.more);
    }
  }
  return {};
}

worker_names names_of(const std::vector<broker::worker_summary>& workers) {
  worker_names names;
  for (const auto& w : workers) {
    const auto info = read_worker_info(w.worker_info);
    if (!info.worker.empty()) names.emplace(w.token, info.worker);
  }
  return names;
}

}  // namespace quarq::clients
