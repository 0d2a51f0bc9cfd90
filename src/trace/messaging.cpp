#include "trace/messaging.hpp"

#include <utility>
#include <vector>

#include "codecs/utf8.hpp"

namespace quarq::trace {
namespace {

constexpr std::size_t max_message = 1'024;

}  // namespace

operation operation_on(std::string_view verb, span_kind kind, const std::string& queue,
                       const broker_address& broker) {
  std::vector<shared_attributes::owned> all = {
      {"messaging.system", "quarq"},
      {"messaging.operation.name", std::string(verb)},
      {"messaging.operation.type", std::string(verb)},
      {"messaging.destination.name", queue},
  };
  if (!broker.address.empty()) {
    all.emplace_back("server.address", broker.address);
    all.emplace_back("server.port", broker.port);
  }
  return {std::string(verb) + " " + queue, kind, shared_attributes::make(std::move(all))};
}

finished_span operation::span(const begun_span& of) const {
  return {
      .context = of.context, .parent_span_id = of.parent, .name = name, .kind = kind, .shared = *attributes};
}

void add_job(own_attributes& to, std::string_view id, std::string_view task) {
  to.push_back({"messaging.message.id", id});
  to.push_back({"quarq.task", task});
}

void fail(finished_span& one, own_attributes& its, std::string_view type, std::string_view message) {
  one.status = span_status::error;
  one.status_message = message.substr(0, codecs::cut_at(message, max_message));
  its.push_back({"error.type", type});
}

}  // namespace quarq::trace
