package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
)

// ownerNameLength is the longest name of an institution. Cognito lets nobody change an attribute's limits later, nor
// remove it.
const ownerNameLength = 64

// newUserPool makes the pool of users: made by an administrator only, who also says which institution each may
// read (custom:read) and post as (custom:write).
func newUserPool(scope constructs.Construct, id string, env Environment) awscognito.UserPool {
	institution := func() awscognito.ICustomAttribute {
		return awscognito.NewStringAttribute(&awscognito.StringAttributeProps{
			Mutable: new(true),
			MinLen:  new(0.0), // so that a permission can be taken away by setting it to nothing
			MaxLen:  new(float64(ownerNameLength)),
		})
	}
	return awscognito.NewUserPool(scope, &id, &awscognito.UserPoolProps{
		SelfSignUpEnabled:   new(false),
		SignInAliases:       &awscognito.SignInAliases{Email: new(true)},
		SignInCaseSensitive: new(false),
		AccountRecovery:     awscognito.AccountRecovery_EMAIL_ONLY,
		CustomAttributes: &map[string]awscognito.ICustomAttribute{
			"read":  institution(),
			"write": institution(),
		},
		PasswordPolicy: &awscognito.PasswordPolicy{
			MinLength:            new(12.0),
			RequireDigits:        new(true),
			RequireLowercase:     new(true),
			RequireUppercase:     new(true),
			RequireSymbols:       new(true),
			TempPasswordValidity: awscdk.Duration_Days(new(3.0)),
		},
		DeletionProtection: new(env.KeepData),
		RemovalPolicy:      env.removalPolicy(),
	})
}

// newUserPoolClient makes the application through which users sign in. Its tokens carry custom:read and custom:write,
// but a user who is signed in cannot change them: the attributes that a client may write are
// named, because the default is all of them.
func newUserPoolClient(users awscognito.UserPool, id string, env Environment) awscognito.UserPoolClient {
	return users.AddClient(&id, &awscognito.UserPoolClientOptions{
		AuthFlows: &awscognito.AuthFlow{
			UserSrp:      new(true),
			UserPassword: new(env.PasswordSignIn),
		},
		DisableOAuth:               new(true),
		PreventUserExistenceErrors: new(true),
		EnableTokenRevocation:      new(true),
		IdTokenValidity:            awscdk.Duration_Hours(new(1.0)),
		AccessTokenValidity:        awscdk.Duration_Hours(new(1.0)),
		RefreshTokenValidity:       awscdk.Duration_Days(new(1.0)),
		ReadAttributes: awscognito.NewClientAttributes().
			WithStandardAttributes(&awscognito.StandardAttributesMask{Email: new(true), Fullname: new(true)}).
			WithCustomAttributes(new("read"), new("write")),
		WriteAttributes: awscognito.NewClientAttributes().
			WithStandardAttributes(&awscognito.StandardAttributesMask{Fullname: new(true)}),
	})
}
