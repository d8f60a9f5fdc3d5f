package stacks

import "github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

// Environments returns every known environment, the least critical first.
func Environments() []Environment {
	return []Environment{Dev(), Prod()}
}

// Dev is for trying a change with synthetic patients: cheap, and completely removed by
// `cdk destroy`.
func Dev() Environment {
	month := Aging{ExpireAfterDays: 30}
	return Environment{
		Name:                "dev",
		KeepData:            false,
		KeyDeletionDays:     7, // the shortest that KMS offers, so that keys do not stay long after a test
		LockYears:           0, // locked objects could not be deleted with their stack
		Zones:               Zones{Ingestion: month, Staging: month, Error: month},
		PasswordSignIn:      true,
		RequireMFA:          false, // tests sign in
		ThreatProtection:    false, // costs money for each user
		Sessions:            Sessions{TokenMinutes: 60, SignInHours: 24, MachineTokenMinutes: 60},
		Institutions:        []Institution{{Name: "st-elsewhere", ReadsBack: true}},
		PostLimit:           RateLimit{PerSecond: 400, Burst: 800},
		ReadLimit:           RateLimit{PerSecond: 100, Burst: 200},
		OwnerLimit:          RateLimit{PerSecond: 200, Burst: 400}, // enough for a load test, and cheap if a script loops
		DeferredConcurrency: 2,                                     // of the ten of a new account
		Finder:              &FinderSettings{KeyVersions: []int{1}},
		LogRetention:        awslogs.RetentionDays_ONE_WEEK,
		AuditDays:           30,
		AlarmAddresses:      nil,   // nobody should be woken by an experiment; the alarms can be looked at
		ReserveConcurrency:  false, // a new account has a total of ten and allows no reservation
	}
}

// Prod is for a hospital's feed. Nothing is deleted by accident, and it can be shown for
// six years who did what, as long as HIPAA requires its documentation to be kept (45 CFR
// 164.316(b)(2)(i)).
func Prod() Environment {
	return Environment{
		Name:            "prod",
		KeepData:        true,
		KeyDeletionDays: 30,
		LockYears:       7,
		// Nothing expires: how long a medical record must be kept depends on each state's
		// law and on the patient's age.
		Zones: Zones{
			Ingestion: Aging{ColdAfterDays: 90}, // read again only to be staged again
			Staging:   Aging{ColdAfterDays: 365},
			Error:     Aging{ColdAfterDays: 365},
		},
		PasswordSignIn:   false,
		RequireMFA:       true,
		ThreatProtection: true,
		// Users sign in once a shift. A permission that is taken away ends within a
		// quarter of an hour.
		Sessions: Sessions{TokenMinutes: 15, SignInHours: 8, MachineTokenMinutes: 60},
		Institutions: []Institution{
			{Name: "st-elsewhere", QuietAfterMinutes: 60, ReadsBack: true},
			{Name: "lakeside-clinic"}, // sends in the evening, and not on Sundays
		},
		PostLimit:           RateLimit{PerSecond: 1000, Burst: 2000}, // ten times a large hospital's busiest second
		ReadLimit:           RateLimit{PerSecond: 200, Burst: 400},
		OwnerLimit:          RateLimit{PerSecond: 200, Burst: 400}, // a fifth of PostLimit, and of trigger's concurrency if a message takes 0.1 s
		DeferredConcurrency: 20,                                    // another fifth
		Finder:              nil,                                   // costs 4 USD a million messages, which a hospital accepts first
		LogRetention:        awslogs.RetentionDays_SIX_YEARS,
		AuditDays:           6*365 + 2,
		AlarmAddresses:      []string{"hl7lake-on-call@example.org"},
		ReserveConcurrency:  true, // 637 of the 1,000 that an account has at first; 100 must stay unreserved
	}
}
