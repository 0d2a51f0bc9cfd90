#include "clients/service.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/assert.hpp"
#include "model/announcement.hpp"
#include "model/record.hpp"

namespace quarq::clients {

service service_of(const broker::live_workers& those, std::string_view task) {
  if (those.others) return service::likely;
  if (those.paused) return service::paused;
  if (those.announcements.empty()) return service::no_worker;
  const bool some_may =
      task.empty() || std::any_of(those.announcements.begin(), those.announcements.end(), [&](const auto& a) {
        return model::read_announcement(a).may_include(task);
      });
  return some_may ? service::likely : service::unknown_task;
}

std::string in_words(service found, std::string_view queue, std::string_view task) {
  QUARQ_ASSERT(found != service::likely);
  if (found == service::paused) return fmt::format("queue {} is paused", queue);
  if (found == service::no_worker) return fmt::format("no live worker serves queue {}", queue);
  return fmt::format("no live worker of queue {} handles task {}", queue, task);
}

std::string task_of(std::string_view record) {
  try {
    return model::decode_record(record).task;
  } catch (const decode_error&) {
    return {};
  }
}

}  // namespace quarq::clients
