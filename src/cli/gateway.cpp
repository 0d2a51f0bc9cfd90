// quarq gateway
#include <cstdlib>
#include <memory>
#include <string>

#include <fmt/format.h>

#include <quarq/http/middleware.hpp>
#include <quarq/http/server.hpp>
#include <quarq/rpc/gateway.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "http/server/main.hpp"

namespace quarq::cli {
namespace {

struct gateway_command : common {
  std::string address = "127.0.0.1";
  int port = 8080;
  std::string token;
};

std::string token_of(const gateway_command& options) {
  if (!options.token.empty()) return options.token;
  const char* const set = std::getenv("QUARQ_GATEWAY_TOKEN");
  return set != nullptr ? set : "";
}

int run_gateway(const gateway_command& options) {
  http::server_options how;
  how.address = options.address;
  how.port = static_cast<std::uint16_t>(options.port);
  http::server web(how);
  const auto token = token_of(options);
  if (!token.empty()) web.use(http::bearer_auth(token));
  rpc::serve_jobs(web, detail::queue_access::make(open_queue(options, if_missing::create)));
  const auto port = web.listen();
  print_line(options.json ? json_object().number("port", port).str()
                          : fmt::format("listening on http://{}:{}", options.address, port));
  if (!finish_output()) return failed;
  run(http::run_until_signal(web, [&web] { return web.run(); }));
  return ok;
}

}  // namespace

void add_gateway(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<gateway_command>();
  auto* command =
      add_command(app, "gateway", "Serves a queue over HTTP, for programs in any language", *options);
  command->add_option("--address", options->address, "of this host, to serve at (default: 127.0.0.1)")
      ->option_text("ADDRESS");
  command->add_option("--port", options->port, "0: any that is free (default: 8080)")
      ->option_text("PORT")
      ->check(CLI::Range(0, 65'535));
  command
      ->add_option("--token", options->token,
                   "who sends no \"Authorization: Bearer TOKEN\" gets 401; needed for other addresses than "
                   "this host's own (default: the environment variable QUARQ_GATEWAY_TOKEN)")
      ->option_text("TOKEN");
  command->callback([options, &chosen] { chosen = [options] { return run_gateway(*options); }; });
}

}  // namespace quarq::cli
