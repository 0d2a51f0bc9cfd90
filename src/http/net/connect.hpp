// Connecting to the first of a host's addresses that answers.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>

namespace quarq::http {

/// No address could be connected to.
class connect_error : public error {
 public:
  connect_error(std::string address, const std::string& what) : error(what), address_(std::move(address)) {}
  /// The last one that failed.
  const std::string& address() const noexcept { return address_; }

 private:
  std::string address_;
};

/// Races them as address_race says. `trying` is set to the address that was last tried, so that whoever ends this
/// knows it; it must exist until the end. The socket belongs to this loop but to no activity, sends at once
/// (TCP_NODELAY), and is not inherited by programs. Throws connect_error.
awaitable<boost::asio::ip::tcp::socket> connect_to_any(std::vector<boost::asio::ip::tcp::endpoint> addresses,
                                                       std::string& trying);

}  // namespace quarq::http
