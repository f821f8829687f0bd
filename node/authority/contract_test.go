package authority

type contractStep struct{}
