package bench

import (
	"errors"

	"golang.org/x/sys/unix"

	"fastpay/node/committee"
)

func (r *measured) dial(port int) (driver, error) {
	var open *arrivals
	if r.open() {
		open = newArrivals(&r.Options, r.made)
		r.meter.opened()
	}
	if r.Protocol == committee.UDP {
		d, err := newUDPDriver(r.Host, port, r.made.lanes, r.made.workload, r.MaxInFlight, r.RecvTimeout, r.meter)
		if err != nil {
			return nil, err
		}
		d.open = open
		return d, nil
	}
	d, err := newTCPDriver(r.Host, port, r.made, r.MaxInFlight, r.RecvTimeout, r.meter)
	if err != nil {
		return nil, err
	}
	d.open = open
	if r.Info > 0 {
		infos, ok := newInfos(&r.Options, r.made.workload, port, len(d.conns), &d.poller)
		d.infos = infos
		room(&r.meter.infos)
		d.events = make([]unix.EpollEvent, len(d.conns)+r.NumShards)
		if !ok {
			return nil, errors.Join(errors.New("bench: the authority does not take another connection to each shard"), d.close())
		}
	}
	return d, nil
}
