// quarq as one of the peers that ./dev bench peers measures: bench/peers/drivers/driver.py says what a driver does.
#pragma once

namespace quarq::bench {

int peer_main(int argc, char** argv);

}  // namespace quarq::bench
