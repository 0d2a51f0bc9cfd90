#include "clients/paused_crons.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "codecs/utf8.hpp"

namespace quarq::clients {

namespace {

// A mark of the queue: this and the name, with this text.
constexpr std::string_view cron_mark = "cron:", paused_text = "paused";
// Ids of runs have at most 255 bytes, and the name is not all of them.
constexpr std::size_t max_cron_name = 150;

}  // namespace

void check_cron_name(std::string_view name) {
  const auto bad = [](unsigned char c) { return c <= ' ' || c == ':' || c == 0x7f; };
  if (!name.empty() && name.size() <= max_cron_name && std::none_of(name.begin(), name.end(), bad)) return;
  throw usage_error(
      fmt::format("cron \"{}\": name: expected 1 to {} characters without white space and colons",
                  codecs::printable(name, max_cron_name), max_cron_name));
}

awaitable<bool> set_cron_paused(std::shared_ptr<broker::broker> store, std::string queue, std::string name,
                                bool paused) {
  check_cron_name(name);
  std::string text(paused ? paused_text : "");
  const bool changed = co_await store->set_mark(queue, std::string(cron_mark) + name, std::move(text));
  co_return changed;
}

awaitable<std::vector<std::string>> paused_crons(broker::broker& store, std::string queue) {
  const auto marks = co_await store.marks(queue);
  std::vector<std::string> names;
  for (const auto& [name, text] : marks) {
    if (name.starts_with(cron_mark) && text == paused_text) names.push_back(name.substr(cron_mark.size()));
  }
  co_return names;
}

}  // namespace quarq::clients
