#include <quarq/http/websocket.hpp>

#include "http/websocket/websocket_link.hpp"

namespace quarq::http {

namespace {

std::string text_of(std::uint16_t code, const std::string& reason) {
  auto text = "the WebSocket is closed (" + std::to_string(code) + ")";
  if (!reason.empty()) text += ": " + reason;
  return text;
}

}  // namespace

websocket_closed::websocket_closed(std::uint16_t code, std::string reason)
    : error(text_of(code, reason)), code_(code), reason_(std::move(reason)) {}

websocket::~websocket() {
  if (link_) link_->begin_closing(close_code::going_away, {});
}

websocket& websocket::operator=(websocket&& other) noexcept {
  if (this != &other) {
    if (link_) link_->begin_closing(close_code::going_away, {});
    link_ = std::move(other.link_);
  }
  return *this;
}

awaitable<message> websocket::receive() {
  return link_->receive();
}

awaitable<bool> websocket::send_text(std::string_view text) {
  return link_->send(text, true);
}

awaitable<bool> websocket::send_binary(std::string_view bytes) {
  return link_->send(bytes, false);
}

awaitable<bool> websocket::send_own(std::string text) {
  const bool queued = co_await link_->send(text, true);
  co_return queued;
}

bool websocket::try_send_text(std::string_view text) {
  return link_->try_send(text, true);
}

bool websocket::try_send_binary(std::string_view bytes) {
  return link_->try_send(bytes, false);
}

awaitable<std::chrono::nanoseconds> websocket::ping() {
  return link_->ping();
}

awaitable<void> websocket::close(std::uint16_t code, std::string_view reason) {
  return link_->close(code, reason);
}

bool websocket::is_open() const noexcept {
  return link_->is_open();
}

std::size_t websocket::unsent() const noexcept {
  return link_->unsent();
}

const std::string& websocket::subprotocol() const noexcept {
  return link_->subprotocol();
}

std::string websocket::remote_address() const {
  return link_->remote_address();
}

}  // namespace quarq::http
