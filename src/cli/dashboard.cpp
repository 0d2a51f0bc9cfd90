// quarq dashboard
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <quarq/dashboard.hpp>
#include <quarq/http/server.hpp>
#include <quarq/run.hpp>

#include "base/log.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "dashboard/sign_in.hpp"
#include "http/server/main.hpp"

namespace quarq::cli {
namespace {

struct dashboard_command : common {
  std::string listen = "127.0.0.1:8090";
  dashboard::sign_in_options sign_in;
  dashboard_options pages;
  std::vector<std::string> proxies, redacted;
  std::string certificate, key;
};

void set_address(http::server_options& how, const std::string& text) {
  const auto colon = text.rfind(':');
  const auto port = colon == text.npos ? text : text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), how.port);
  if (port.empty() || failed != std::errc() || end != port.data() + port.size())
    throw usage_error(fmt::format("--listen: expected ADDRESS:PORT, like 127.0.0.1:8090, got {}", text));
  if (colon == text.npos) return;
  how.address = text.substr(0, colon);
  if (how.address.starts_with('[') && how.address.ends_with(']'))
    how.address = how.address.substr(1, how.address.size() - 2);
}

void refuse_strangers(const http::server_options& how) {
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(how.address, failed);
  if (failed || address.is_loopback()) return;  // what is no address, the server refuses
  throw usage_error(fmt::format(
      "--listen: {} can be reached from other hosts: give --token, --viewer-token or --user-header",
      how.address));
}

std::string or_variable(const std::string& given, const char* variable) {
  if (!given.empty()) return given;
  const char* const set = std::getenv(variable);
  return set != nullptr ? set : "";
}

void check_prefix(const std::string& prefix) {
  if (!prefix.empty() && (!prefix.starts_with('/') || prefix.find("//") != prefix.npos))
    throw usage_error(fmt::format("--prefix: expected a path like /ops, got {}", prefix));
}

int run_dashboard(dashboard_command options) {
  http::server_options how;
  set_address(how, options.listen);
  how.certificate_file = options.certificate;
  how.key_file = options.key;
  auto& by = options.sign_in;
  by.token = or_variable(by.token, "QUARQ_DASHBOARD_TOKEN");
  by.viewer_token = or_variable(by.viewer_token, "QUARQ_DASHBOARD_VIEWER_TOKEN");
  if (!options.proxies.empty()) by.proxies = options.proxies;
  auto& redacted = options.pages.redacted;
  redacted.insert(redacted.end(), options.redacted.begin(), options.redacted.end());
  check_prefix(options.pages.prefix);
  http::server web(how);
  if (by.is_needed()) {
    web.use(dashboard::sign_in(by));
    options.pages.role_of = [by](const http::request& r) { return dashboard::identify(by, r).role; };
  } else {
    refuse_strangers(how);
    web.use(dashboard::refuse_foreign_hosts());
  }
  const auto prefix = options.pages.prefix;
  serve_dashboard(web, detail::queue_access::make(open_queue(options)), std::move(options.pages));
  const auto port = web.listen();
  const auto* const scheme = options.certificate.empty() ? "http" : "https";
  const bool has_colons = how.address.find(':') != std::string::npos;
  print_line(options.json ? json_object().number("port", port).str()
                          : fmt::format("dashboard at {}://{}{}{}:{}{}/", scheme, has_colons ? "[" : "",
                                        how.address, has_colons ? "]" : "", port, prefix));
  if (!finish_output()) return failed;
  base::set_log_level("info");  // of who changed what
  run(http::run_until_signal(web, [&web] { return web.run(); }));
  return ok;
}

void add_text(CLI::App& command, const std::string& name, std::string& into, const std::string& description,
              const std::string& what) {
  command.add_option(name, into, description)->option_text(what);
}

}  // namespace

void add_dashboard(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<dashboard_command>();
  auto* command = add_command(app, "dashboard", "Shows queues, jobs and workers in a browser", *options);
  command->remove_option(command->get_option("--queue"));
  auto& o = *options;
  add_text(*command, "--listen", o.listen, "where to serve it (default: 127.0.0.1:8090)", "ADDRESS:PORT");
  add_text(*command, "--prefix", o.pages.prefix, "a path below which it is served, like /ops", "PATH");
  add_text(
      *command, "--token", o.sign_in.token,
      "what operators prove who they are with: as a password, or as \"Authorization: Bearer TOKEN\"; needed "
      "for other addresses than this host's own (default: QUARQ_DASHBOARD_TOKEN)",
      "TOKEN");
  add_text(*command, "--viewer-token", o.sign_in.viewer_token,
           "the same for those that may only look (default: QUARQ_DASHBOARD_VIEWER_TOKEN)", "TOKEN");
  add_text(*command, "--user-header", o.sign_in.user_header,
           "the header field in which a proxy in front says who it is, like X-Forwarded-User", "NAME");
  command
      ->add_option("--proxy", o.proxies,
                   "an address from which --user-header is believed (default: this host)")
      ->option_text("ADDRESS");
  command
      ->add_option("--operator", o.sign_in.operators,
                   "a user of --user-header that may change things; *: all of them (default: none)")
      ->option_text("USER");
  command
      ->add_option(
          "--redact", o.redacted,
          "show no values of members with this word in their names, besides password, token and the like")
      ->option_text("WORD");
  command->add_flag("--hide-payloads", o.pages.hide_payloads, "show no arguments and results at all");
  add_text(*command, "--audit-log", o.pages.audit_file, "append each change to this file, as a line of JSON",
           "FILE");
  add_text(*command, "--certificate", o.certificate, "a PEM file: serve TLS", "FILE");
  add_text(*command, "--key", o.key, "its key, if that stands in a file of its own", "FILE");
  command->callback([options, &chosen] { chosen = [options] { return run_dashboard(*options); }; });
}

}  // namespace quarq::cli
