#include "dashboard/audit_log.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "base/log.hpp"
#include "codecs/json.hpp"
#include "codecs/utf8.hpp"

namespace quarq::dashboard {

namespace {

constexpr std::size_t max_shown = 200;

}  // namespace

audit_log::audit_log(const std::string& file) : name_(file) {
  if (file.empty()) return;
  file_.open(file, std::ios::app);
  if (!file_) throw usage_error(fmt::format("audit file {}: {}", file, std::strerror(errno)));
}

void audit_log::add(audit_view what) {
  base::log().info("audit: {} {} {} {} in queue {}: {}", codecs::printable(what.user, max_shown), what.peer,
                   what.action, codecs::printable(what.what, max_shown),
                   codecs::printable(what.queue, max_shown), codecs::printable(what.outcome, max_shown));
  if (file_.is_open()) {
    file_ << codecs::to_json(to_msgpack(what)) << std::endl;
    if (!file_) base::log().error("audit file {}: {}", name_, std::strerror(errno));
    file_.clear();
  }
  latest_.push_front(std::move(what));
  if (latest_.size() > kept) latest_.pop_back();
}

}  // namespace quarq::dashboard
