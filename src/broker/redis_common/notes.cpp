#include "broker/redis_common/notes.hpp"

#include <utility>

#include <quarq/errors.hpp>

namespace quarq::broker::redis_common {

std::vector<std::string> notes_args(const std::string& token, std::vector<job_note> notes) {
  std::vector<std::string> args;
  args.reserve(2 + 2 * notes.size());
  args.push_back(token);
  args.push_back(std::to_string(notes_kept.count()));
  for (auto& one : notes) {
    args.push_back(std::move(one.id));
    args.push_back(std::move(one.text));
  }
  return args;
}

awaitable<std::vector<std::string>> fetch_notes(quarq::redis::connection& over, std::string prefix,
                                                std::vector<std::string> ids) {
  std::vector<std::string> command(1, "MGET");
  for (const auto& id : ids) command.push_back(prefix + id);
  auto reply = co_await over.command(std::move(command));
  std::vector<std::string> notes;
  for (auto& one : reply.items) notes.push_back(std::move(one.text));
  notes.resize(ids.size());
  co_return notes;
}

awaitable<void> forget_notes(quarq::redis::connection& over, std::string prefix,
                             const std::vector<settlement>& batch, const std::vector<bool>& recorded) {
  std::vector<std::string> command(1, "UNLINK");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].has_notes && recorded[i]) command.push_back(prefix + batch[i].id);
  }
  if (command.size() == 1) co_return;
  try {
    co_await over.command(std::move(command));
  } catch (const broker_error&) {
    // The ends are recorded, which is what counts.
  }
}

}  // namespace quarq::broker::redis_common
