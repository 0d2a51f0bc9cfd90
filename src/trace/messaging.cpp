#include "trace/messaging.hpp"

#include "codecs/utf8.hpp"

namespace quarq::trace {
namespace {

constexpr std::size_t max_message = 1'024;
constexpr std::size_t usual_attributes = 10;

}  // namespace

finished_span messaging_span(begun_span of, std::string_view operation, const std::string& queue,
                             const broker_address& broker) {
  finished_span made;
  made.context = std::move(of.context);
  made.parent_span_id = of.parent;
  made.name.reserve(operation.size() + 1 + queue.size());
  made.name.append(operation).append(" ").append(queue);
  made.attributes.reserve(usual_attributes);
  add_text(made, "messaging.system", "quarq");
  add_text(made, "messaging.operation.name", std::string(operation));
  add_text(made, "messaging.operation.type", std::string(operation));
  add_text(made, "messaging.destination.name", queue);
  if (!broker.address.empty()) {
    add_text(made, "server.address", broker.address);
    add_number(made, "server.port", broker.port);
  }
  return made;
}

void add_text(finished_span& to, std::string_view key, std::string value) {
  to.attributes.emplace_back(key, std::move(value));
}

void add_number(finished_span& to, std::string_view key, std::int64_t value) {
  to.attributes.emplace_back(key, value);
}

void add_job(finished_span& to, std::string id, std::string task) {
  add_text(to, "messaging.message.id", std::move(id));
  add_text(to, "quarq.task", std::move(task));
}

void fail(finished_span& one, std::string type, std::string_view message) {
  one.status = span_status::error;
  one.status_message = message.substr(0, codecs::cut_at(message, max_message));
  add_text(one, "error.type", std::move(type));
}

}  // namespace quarq::trace
