#include "cli/worker_card.hpp"

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

namespace quarq::cli {

namespace {

void read_entry(decoder& in, worker_card& into) {
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

worker_card read_card(std::string_view card) {
  worker_card read;
  try {
    decoder in(card, "worker's card");
    const std::size_t count = in.map();
    for (std::size_t i = 0; i < count; ++i) read_entry(in, read);
  } catch (const decode_error&) {
    // What was read until here is shown.
  }
  return read;
}

worker_names names_of(const std::vector<broker::worker_summary>& workers) {
  worker_names names;
  for (const auto& w : workers) {
    const auto card = read_card(w.card);
    if (!card.worker.empty()) names.emplace(w.token, card.worker);
  }
  return names;
}

}  // namespace quarq::cli
